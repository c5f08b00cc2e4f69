package rule

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// queryPlace says where each byte of the query's text stands in the file.
type queryPlace struct {
	text  string
	value span // the whole value, with its quotes
	// bytes[i] is the place of text[i]; one entry more for its end. Nil where the two cannot be
	// lined up.
	bytes []int
}

// Locate turns errors about the rule's query (an *eql.Error or eql.Errors, from whoever reads the
// tree) into errors about the rule's file. Any other error becomes one about the file as a whole.
func (r *Rule) Locate(err error) Errors {
	text := r.text
	text.file = r.File // a rule that was not loaded has no text
	return text.locate(err)
}

func (s *source) locate(err error) Errors {
	var many cond.Errors
	var one *cond.Error
	switch {
	case errors.As(err, &many):
	case errors.As(err, &one):
		many = cond.Errors{one}
	default:
		return Errors{&Error{File: s.file, Message: err.Error(), Err: err}}
	}
	located := make(Errors, len(many))
	for i, e := range many {
		located[i] = s.queryError(e)
	}
	return located
}

func (s *source) queryError(e *cond.Error) *Error {
	q := s.queryAt
	from, to := e.Span.Start, e.Span.End
	if q.bytes == nil || from < 0 || to < from || to > len(q.text) {
		return s.lineOf(q.value, "query: "+e.Message, e.Advice)
	}
	return s.errorAt(span{q.bytes[from], q.bytes[to]}, e.Message, e.Advice)
}

// placeQuery lines the query's text up with its place in the file.
func (d *document) placeQuery(text string, value span) {
	d.queryAt = queryPlace{text: text, value: value}
	raw := d.text[value.start:value.end]

	var content string
	var at []int
	open := quotes(raw)
	if len(raw) < 2*open {
		return
	}
	inner := raw[open : len(raw)-open]
	if open == 3 { // the line end after the opening quotes is no part of the text
		inner = bytes.TrimPrefix(bytes.TrimPrefix(inner, []byte("\r")), []byte("\n"))
	}
	first := value.end - open - len(inner)
	if raw[0] == '\'' {
		content, at = string(inner), make([]int, len(inner)+1)
		for i := range at {
			at[i] = first + i
		}
	} else {
		content, at = unescape(inner, first)
	}
	if content == text { // else the two do not line up, and no column is better than a wrong one
		d.queryAt.bytes = at
	}
}

// quotes tells how many quotes a TOML string begins and ends with.
func quotes(raw []byte) int {
	if bytes.HasPrefix(raw, []byte("'''")) || bytes.HasPrefix(raw, []byte(`"""`)) {
		return 3
	}
	return 1
}

// unescape reads the inside of a TOML basic string that stands at first, and gives for each byte of
// the result the place of what it was written as. go-toml has checked the string; what it yields
// decides.
func unescape(raw []byte, first int) (string, []int) {
	var text []byte
	var at []int
	add := func(place int, s string) {
		for range len(s) {
			at = append(at, first+place)
		}
		text = append(text, s...)
	}
	for i := 0; i < len(raw); {
		if raw[i] != '\\' || i+1 == len(raw) {
			add(i, string(raw[i:i+1]))
			i++
			continue
		}
		if digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[i+1]]; digits > 0 {
			end := min(i+2+digits, len(raw))
			code, _ := strconv.ParseUint(string(raw[i+2:end]), 16, 31)
			add(i, string(rune(code)))
			i = end
			continue
		}
		if short := strings.IndexByte(`btnfre"\`, raw[i+1]); short >= 0 {
			add(i, "\b\t\n\f\r\x1b\"\\"[short:short+1])
			i += 2
			continue
		}
		// A backslash at the end of a line takes with it all white space up to the next character.
		i += 1 + len(raw[i+1:]) - len(bytes.TrimLeft(raw[i+1:], " \t\r\n"))
	}
	return string(text), append(at, first+len(raw))
}
