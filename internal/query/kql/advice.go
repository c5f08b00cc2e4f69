package kql

import (
	"fmt"
	"strings"
)

// advice says what to write where something unexpected is at the current place.
func (p *parser) advice(in place) string {
	rest := p.text[p.pos:]
	before := strings.TrimRightFunc(p.text[:p.pos], isTrimmed)
	switch {
	case strings.HasPrefix(rest, `\`):
		return backslashAdvice(rest)
	case strings.HasPrefix(rest, `"`) && !closes(rest):
		return `Write " at the value's end. Within quotes a quote is \", and a backslash at the end \\.`
	}
	if in.after {
		return p.adviceAfter(in, before, rest)
	}
	switch {
	case negated(rest, 0) >= 0 && in.field != "" && !in.list:
		return fmt.Sprintf("Write not before the field: not %s: …", clip(in.field))
	case negated(rest, 0) >= 0:
		return "Write not once, or with parentheses: not (not …)."
	case strings.HasPrefix(rest, ")") && strings.HasSuffix(before, "(") && in.field != "":
		return fmt.Sprintf("Write values in the parentheses: %s: (a or b); for any value %s: *.",
			clip(in.field), clip(in.field))
	case strings.HasPrefix(rest, ")") && strings.HasSuffix(before, "("):
		return "Write a condition in the parentheses, or take them away."
	case strings.HasPrefix(rest, "}") && strings.HasSuffix(before, "{"):
		return "Write a condition in the braces, with the names of fields below the path."
	case endsInKeyword(before) && (rest == "" || strings.IndexByte(")}", rest[0]) >= 0):
		return "Write what comes after the last and, or or not, or take that word away."
	case in.field != "" && strings.IndexAny(rest, "<>") == 0:
		return "Write the operator without a colon, and once: bytes > 5."
	case in.field != "" && strings.HasPrefix(rest, ":"):
		return "Write one colon. A value that begins with a colon is quoted."
	case in.field != "" && rest == "":
		return fmt.Sprintf("Write a value; for any value %s: *.", clip(in.field))
	case in.field != "":
		return "A value with such a character is quoted."
	}
	return "Write field: value, field: (a or b) or field > 5."
}

// adviceAfter is advice for what follows a condition or a value wrongly.
func (p *parser) adviceAfter(in place, before, rest string) string {
	word := lastWord(before)
	if advice := operatorAdvice(before, rest); advice != "" {
		return advice
	}
	switch lower := strings.ToLower(word); {
	case strings.HasPrefix(rest, "(") && (lower == "and" || lower == "or" || lower == "not"):
		return fmt.Sprintf("Write a blank after %s: %s (…).", word, word)
	case in.closing != 0 && rest == "":
		return fmt.Sprintf(`Write the missing "%c".`, in.closing)
	case rest[0] == ')' || rest[0] == '}':
		return "It closes nothing: take it away, or open it. A value with such a character is quoted."
	case negated(rest, 0) >= 0:
		return "Write and before it: … and not …"
	case hasFold(rest, "and") || hasFold(rest, "or"):
		return "Write what comes after the last and, or, or take that word away."
	case strings.HasPrefix(rest, ",") || in.list:
		return "Join values with or: field: (a or b). A value with blanks and other signs is quoted."
	case rest[0] == ':' && strings.ContainsAny(lastValue(before), " \t\n"):
		return fmt.Sprintf("Write `and` or `or` before %s, or quote the value before.", clip(word))
	case rest[0] == ':':
		return `Quote a value with a colon: "C:\\x"; in a pattern write \: for it: C\:\\x*.`
	case strings.HasSuffix(before, `"`):
		return "Write `and` or `or` between conditions. A quote within quotes is \\\"."
	}
	return "Write `and` or `or` between conditions. A value with such a character is quoted."
}

// operatorAdvice is advice for the operators of other languages, which KQL reads as a part of a
// name or a value.
func operatorAdvice(before, rest string) string {
	word := lastWord(before)
	field := clip(lastWord(strings.TrimSuffix(before, word)))
	value := "…"
	if l, ok := (&parser{text: rest}).quoted(); ok {
		value = clip(l.raw(rest))
	}
	switch strings.ToLower(word) {
	case "=", "==":
		return fmt.Sprintf("KQL's operator is a colon: %s: %s.", field, value)
	case "!=", "<>":
		return fmt.Sprintf("KQL has no %s: write not %s: %s.", word, field, value)
	case "in", "in~":
		return fmt.Sprintf("KQL's list is %s: (a or b).", field)
	case "like", "like~", "regex", "regex~", "matches":
		return fmt.Sprintf("KQL's pattern is %s: a*b, without quotes; it has no regular expressions.",
			field)
	}
	switch {
	case word == "!", strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
		return "KQL writes and, or, not as words."
	case strings.HasPrefix(rest, "="):
		return "KQL's operator is a colon: field: value."
	}
	switch value := lastValue(before); {
	case strings.HasPrefix(value, "'"):
		return `KQL quotes with ", not with '.`
	case strings.HasPrefix(value, "["):
		return "KQL's list is field: (a or b), a range field >= 1 and field < 5."
	}
	return ""
}

// fieldlessAdvice is advice for a value without a field.
func (p *parser) fieldlessAdvice(value literal) string {
	written := value.raw(p.text)
	for _, operator := range []string{"==", "!=", "<>", "="} {
		field, constant, found := strings.Cut(written, operator)
		if !found || value.quoted {
			continue
		}
		field, constant = clip(strings.TrimSpace(field)), clip(strings.TrimSpace(constant))
		if operator == "!=" || operator == "<>" {
			return fmt.Sprintf("KQL has no %s: write not %s: %s.", operator, field, constant)
		}
		return fmt.Sprintf("KQL's operator is a colon: %s: %s.", field, constant)
	}
	switch word := strings.ToLower(lastWord(written)); {
	case value.quoted:
	case word == "and", word == "or", word == "not":
		return fmt.Sprintf("Write what comes after %s, or take that word away.", word)
	}
	return "Write its field before it: field: value. Several values of one field are a list: " +
		"field: (a or b)."
}

func backslashAdvice(rest string) string {
	next := rest[1:]
	switch {
	case next != "" && skipSpace(next, 0) > 0:
		return "A blank needs no backslash. A value may be quoted."
	case strings.HasPrefix(next, "u"):
		return `A character is written \u and four hexadecimal digits.`
	}
	return `Write \\ for a backslash.`
}

// closes reports whether the string that the text begins with is closed.
func closes(rest string) bool {
	_, ok := (&parser{text: rest}).quoted()
	return ok
}

// endsInKeyword reports whether the last word is and, or or not.
func endsInKeyword(text string) bool {
	switch strings.ToLower(lastWord(text)) {
	case "and", "or", "not":
		return true
	}
	return false
}

// lastWord returns what is after the last blank or bracket.
func lastWord(text string) string {
	return lastField(text, func(r rune) bool {
		return isTrimmed(r) || strings.ContainsRune("(){}:", r)
	})
}

// lastValue returns what is after the last colon, quote or bracket.
func lastValue(text string) string {
	return lastField(text, func(r rune) bool { return strings.ContainsRune(`(){}:"`, r) })
}

func lastField(text string, isBetween func(rune) bool) string {
	fields := strings.FieldsFunc(text, isBetween)
	if len(fields) == 0 {
		return ""
	}
	return strings.TrimSpace(fields[len(fields)-1])
}
