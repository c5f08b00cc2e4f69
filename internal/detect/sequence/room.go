package sequence

// Room is how much judges keep pending at most, together: an event, a key, and each 256 bytes of
// keys count as one, of about 150 bytes beside what the caller keeps of an event. So a rule whose
// events are many has what the others leave. It is not safe for concurrent use.
type Room struct{ most, used int }

// NewRoom returns an empty room.
func NewRoom(most int) *Room { return &Room{most: most} }

// bytesOfOne is how many bytes of keys count as an event.
const bytesOfOne = 256

// weight is what a judge takes up of its room.
func weight(m machine) int {
	keys, events := m.size()
	return keys + events + m.keyBytes()/bytesOfOne
}

// settle enters what the judge takes up by now.
func (j *Judge[E]) settle() {
	now := weight(j.machine)
	j.room.used += now - j.weighed
	j.weighed = now
}

// isFull reports whether there is no room for one more.
func (j *Judge[E]) isFull() bool {
	return j.room.used-j.weighed+weight(j.machine) >= j.room.most
}

// Size is how much room the look takes where it is held: one, and more where it has many keys or
// long ones.
func (l Look) Size() int {
	size := 1
	for i := range l.keys {
		size += max(0, l.keys[i].len()-1)/16 + len(l.keys[i].text)/bytesOfOne
	}
	return size
}
