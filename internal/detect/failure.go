package detect

import "slices"

// Failure is an index, or a pattern, that was not searched whole.
type Failure struct {
	Index  string `json:"index"`
	Reason string `json:"reason"`
	// Unwell says that the cluster cannot read the index, whatever is asked of it.
	Unwell bool `json:"-"`
}

// Alike are the indices that failed for one reason.
type Alike struct {
	Indices []string
	Reason  string
}

// ByReason groups failures, in the order in which their reasons come.
func ByReason(failures []Failure) []Alike {
	var all []Alike
	for _, f := range failures {
		i := slices.IndexFunc(all, func(a Alike) bool { return a.Reason == f.Reason })
		if i < 0 {
			i = len(all)
			all = append(all, Alike{Reason: f.Reason})
		}
		all[i].Indices = append(all[i].Indices, f.Index)
	}
	return all
}
