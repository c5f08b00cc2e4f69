package event

import "testing"

func TestMendSurrogates(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		given := []byte(text)
		if got := string(MendSurrogates(given)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if string(given) != text {
			t.Errorf("%s was changed into %s", text, given)
		}
	}
	f(``, ``)
	f(`"plain"`, `"plain"`)
	f(`"\ud83d\ude00 \uD83D\uDE00"`, `"\ud83d\ude00 \uD83D\uDE00"`)
	f(`"a\ud800b"`, `"a\u003fb"`)
	f(`"a\uDFFFb"`, `"a\u003fb"`)
	f(`"\ud800"`, `"\u003f"`)
	f(`"\ud800\u0041"`, `"\u003f\u0041"`)
	f(`"\ud800\ud800"`, `"\u003f\u003f"`)
	f(`"\ude00\ud83d"`, `"\u003f\u003f"`)
	f(`"\ud83d\ud83d\ude00"`, `"\u003f\ud83d\ude00"`)
	f(`"C:\\ud800\\udc00"`, `"C:\\ud800\\udc00"`) // backslashes, not escapes
	f(`"\\\ud800"`, `"\\\u003f"`)
	f(`"\n\ud800\n"`, `"\n\u003f\n"`)
	f(`"\ud8`, `"\ud8`) // not JSON
	f(`"\ud800\`, `"\u003f\`)
}
