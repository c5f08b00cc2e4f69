package main

import (
	"io"
	"os"
)

// isTerminal gives the file behind w where that is a terminal.
func isTerminal(w io.Writer) (*os.File, bool) {
	file, ok := w.(*os.File)
	if !ok {
		return nil, false
	}
	info, err := file.Stat()
	return file, err == nil && info.Mode()&os.ModeCharDevice != 0
}
