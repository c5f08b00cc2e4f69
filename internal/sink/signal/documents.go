package signal

import "bytes"

// documents is memory for documents that are let go of soon and together, as those of a chunk of a
// scan: each is written where it stays, behind the one before. The zero value is ready.
type documents struct {
	room []byte // its length is what is taken
	last int    // length of the last document
	json jsonText
}

// compose writes a document. What is composed after it does not change it.
func (d *documents) compose(fields []field, event written) ([]byte, error) {
	const usual, more = 64 << 10, 1 << 10
	isFirst := d.last == 0 // there may be no other
	if want := d.last + more; !isFirst && cap(d.room)-len(d.room) < want {
		d.room = make([]byte, 0, max(usual, want))
	}
	taken := len(d.room)
	d.json.Buffer = *bytes.NewBuffer(d.room[taken:])
	err := d.json.compose(fields, event)
	made := d.json.Bytes()
	d.json.Buffer = bytes.Buffer{}
	if d.last = len(made); isFirst {
		return bytes.Clone(made), err
	}
	if d.last <= cap(d.room)-taken {
		d.room = d.room[:taken+d.last]
	} // else it went to memory of its own
	return made[:d.last:d.last], err
}
