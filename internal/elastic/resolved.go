package elastic

import "encoding/json"

// Resolved is the answer of `_resolve/index`: what a name or a pattern stands for.
type Resolved struct {
	Indices []struct {
		Name       string
		Attributes []string // "closed", "frozen" among them
	} `json:"indices"`
	Aliases []struct {
		Name    string
		Indices nameList
	} `json:"aliases"`
	DataStreams []struct {
		Name    string
		Backing nameList `json:"backing_indices"`
	} `json:"data_streams"`
}

// Check implements Checked.
func (r *Resolved) Check() error {
	switch {
	case r.Indices == nil:
		return Lacks("indices")
	case r.Aliases == nil:
		return Lacks("aliases")
	case r.DataStreams == nil:
		return Lacks("data_streams")
	}
	for _, i := range r.Indices {
		if i.Name == "" {
			return Lacks("name of an index")
		}
	}
	for _, a := range r.Aliases {
		if a.Name == "" || a.Indices == nil {
			return Lacks("name or indices of an alias")
		}
	}
	for _, d := range r.DataStreams {
		if d.Name == "" || d.Backing == nil {
			return Lacks("name or backing_indices of a data stream")
		}
	}
	return nil
}

// nameList is a list of names, or one name: a list of one is written without its brackets.
type nameList []string

// UnmarshalJSON implements json.Unmarshaler.
func (n *nameList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*n = nameList{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(n))
}
