package elastic

import "log/slog"

// Secret is a password or a key. It prints as nothing but the fact that it is there, whichever way
// it is printed: the text is behind a pointer, which even %#v and a debugger's dump of the
// surrounding struct do not follow.
type Secret struct{ text *string }

// NewSecret returns a secret; an empty text is none.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// IsSet reports whether there is a secret.
func (s Secret) IsSet() bool { return s.text != nil }

// Reveal returns the text itself; the client is its only reader.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

func (s Secret) String() string {
	if s.IsSet() {
		return "(secret)"
	}
	return ""
}

// GoString returns what String does, for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue returns what String does, for the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String does, for JSON and YAML; there is no error.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
