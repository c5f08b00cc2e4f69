//go:build soak

package main

import (
	"os"
	"time"
)

// clock is the system's, wrong by the duration that the file named by SOAK_CLOCK holds, which may
// change at any time. It is in no binary that anybody is given: the fault harness (internal/soak)
// builds its own with the tag "soak", since nothing else moves the clock of one process.
func clock() func() time.Time {
	file := os.Getenv("SOAK_CLOCK")
	return func() time.Time {
		text, err := os.ReadFile(file)
		if err != nil {
			return time.Now()
		}
		wrong, err := time.ParseDuration(string(text))
		if err != nil {
			return time.Now()
		}
		// Without the monotonic reading, by which a difference of two times would not show the
		// jump.
		return time.Now().Round(0).Add(wrong)
	}
}
