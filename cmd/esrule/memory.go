package main

import (
	"os"
	"runtime/debug"
)

// gcPercent is what a run or a backfill lets its garbage grow to, of what it holds: it works for
// hours beside others, and takes less memory for a little more processor time.
const gcPercent = 50

// holdLittle keeps the garbage of the process small, unless GOGC says how large it may grow.
func holdLittle() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
