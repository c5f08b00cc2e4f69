package signal

import (
	"bytes"
	"strings"
	"testing"
)

// Documents that share memory are those that are written alone, and stay as they are.
func TestDocuments(t *testing.T) {
	var d documents
	var all, want [][]byte
	f := func(length int, text string) {
		t.Helper()
		fields := []field{{"a", strings.Repeat(text, length)}, {"b", 1.5}}
		event := written(`"c":` + strings.Repeat(" ", length) + `1`)
		got, err := d.compose(fields, event)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := compose(fields, event)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, alone) {
			t.Errorf("%d times %q: got %.200s, want %.200s", length, text, got, alone)
		}
		all, want = append(all, got), append(want, bytes.Clone(alone))
		_ = append(got, "x"...) // as who writes lines does
	}
	for _, length := range []int{0, 3, 900, 1, 5_000, 70_000, 0, 200_000, 3, 40_000, 30_000, 1} {
		f(length, "x")
		f(length, "é\x00") // by encoding/json
	}
	for length := range 300 {
		f(length, "y")
	}
	for i := range all {
		if !bytes.Equal(all[i], want[i]) {
			t.Errorf("document %d was changed: got %.200s, want %.200s", i, all[i], want[i])
		}
	}
}
