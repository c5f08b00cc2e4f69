package signal

// NewTerms makes the signal of a match of one event whose values are new. Its id is made of the
// event's identity and the values: an event can be the first with several tuples. The same match
// and clock give the same bytes.
func NewTerms(m Match, values []string, x Execution) (Signal, error) {
	var r Reading
	if err := r.readOnly(m); err != nil {
		return Signal{}, err
	}
	s := r.begin(m.Rule, x)
	d := digest{}
	d.text("new terms")
	d.text(string(s.widerID))
	d.length(len(values))
	for _, v := range values {
		d.text(v)
	}
	s.ID = d.id()
	s.widerID = s.ID
	s.about.newTerms = values
	return s, s.finish(&r, x.Texts)
}
