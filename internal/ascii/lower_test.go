package ascii_test

import (
	"testing"

	"esrule/internal/ascii"
)

func TestLower(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(ascii.AppendLower([]byte("X"), []byte(text))); got != "X"+want {
			t.Errorf("AppendLower of %q: got %q, want %q", text, got, "X"+want)
		}
		if !ascii.EqualLower([]byte(text), []byte(want)) {
			t.Errorf("EqualLower of %q and %q: got false, want true", text, want)
		}
	}
	f("", "")
	f("CMD.exe @[`{", "cmd.exe @[`{")
	f("É\u212a\xff", "É\u212a\xff") // the Kelvin sign is no k
	if ascii.EqualLower([]byte("AB"), []byte("a")) || ascii.EqualLower([]byte("A"), []byte("b")) {
		t.Error("EqualLower of other texts: got true, want false")
	}
}
