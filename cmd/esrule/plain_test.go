package main

import (
	"bytes"
	"fmt"
	"testing"
)

func TestPlain(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var out bytes.Buffer
		n, err := fmt.Fprint(plain{&out}, text)
		if err != nil || n != len(text) || out.String() != want {
			t.Errorf("%q: got %q, %d of %d bytes, %v, want %q", text, out.String(), n, len(text),
				err, want)
		}
	}
	f("a\tb\n", "a\tb\n")
	f("größer 日本", "größer 日本")
	f("\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`)
	f("over\rwritten\b\x00\x7f", `over\u000dwritten\u0008\u0000\u007f`)
	f("C1 \u009b31m", `C1 \u009b31m`)
	f("exe\u202etxt.scr", `exe\u202etxt.scr`)
}
