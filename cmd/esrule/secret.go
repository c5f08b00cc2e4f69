package main

import "log/slog"

// secret is a password or a key. It prints as nothing but the fact that it is there, whichever way
// it is printed: the text is behind a pointer, which even %#v and a debugger's dump of the
// surrounding struct do not follow.
type secret struct{ text *string }

func newSecret(text string) secret {
	if text == "" {
		return secret{}
	}
	return secret{&text}
}

func (s secret) isSet() bool { return s.text != nil }

// reveal returns the text itself; the client is its only reader.
func (s secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

func (s secret) String() string {
	if s.isSet() {
		return "(secret)"
	}
	return ""
}

func (s secret) GoString() string             { return s.String() }
func (s secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
