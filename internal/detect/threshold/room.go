package threshold

// Room is how much judges hold at most, together: a key, an event and a value count as one, of some
// 100 bytes. So a rule with many keys has what the others leave. It is not safe for concurrent use.
type Room struct{ most, used int }

// NewRoom returns an empty room.
func NewRoom(most int) *Room { return &Room{most: most} }

// has reports whether there is room for so much more.
func (r *Room) has(more int) bool { return r.used+more <= r.most }

// hold enters that the judge holds more, or less.
func (j *Judge) hold(more int) {
	j.held += more
	j.room.used += more
}

// weight is what a text takes: one, and one more for each 256 bytes.
func weight(text string) int { return 1 + len(text)/256 }

// Size is how much the look holds: its keys and values, and more where they are long.
func (l Look) Size() int {
	n := 0
	for _, list := range append([][]string{l.keys}, l.distinct...) {
		for _, text := range list {
			n += weight(text)
		}
	}
	return n
}
