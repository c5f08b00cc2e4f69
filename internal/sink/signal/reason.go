package signal

import "strings"

// reason is the beginning of the sentence that an analyst reads first, built as Elastic's alerts
// build it, so that people and saved searches find what they are used to. That a comma follows a
// port but no address is theirs too.
func reason(event *node) string {
	var b strings.Builder
	b.Grow(256)
	part := func(before, value, after string) {
		if value != "" {
			b.WriteString(before)
			b.WriteString(value)
			b.WriteString(after)
		}
	}
	process, parent, file := phrase(event, "process.name"), phrase(event, "process.parent.name"),
		phrase(event, "file.name")
	source, destination := phrase(event, "source.ip"), phrase(event, "destination.ip")

	part("", phrase(event, "event.category"), " ")
	b.WriteString("event")
	if process+parent+file+source+destination != "" {
		b.WriteString(" with")
	}
	part(" process ", process, ",")
	part(" parent process ", parent, ",")
	part(" file ", file, ",")
	part(" source ", source, "")
	part(":", phrase(event, "source.port"), ",")
	part(" destination ", destination, "")
	part(":", phrase(event, "destination.port"), ",")
	part(" by ", phrase(event, "user.name"), "")
	part(" on ", phrase(event, "host.name"), "")
	b.WriteString(" created ")
	return b.String()
}

// phrase returns a field's values for the sentence, empty where it has none to show. A bare number
// or boolean is not shown, one in an array is; "-" is how many sources write "none".
func phrase(event *node, path string) string {
	var room [4]*node // for what fields have as a rule
	found := event.appendAt(room[:0], path)
	if len(found) == 1 && (found[0].kind == number || found[0].kind == boolean) {
		return ""
	}
	var texts [4]string
	all := texts[:0]
	for _, n := range found {
		var room [4]*node
		for _, value := range n.appendScalars(room[:0]) {
			all = append(all, value.text)
		}
	}
	if s := strings.Join(all, ", "); s != "-" {
		return s
	}
	return ""
}
