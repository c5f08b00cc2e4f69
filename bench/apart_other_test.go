//go:build !linux

package bench

import "testing"

// setApart skips the benchmark: how to keep a process on a processor is known for Linux only.
func (server) setApart(b *testing.B) {
	b.Helper()
	b.Skip("the server and the program can be set apart on Linux only")
}
