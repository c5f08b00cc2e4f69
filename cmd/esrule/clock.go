//go:build !soak

package main

import "time"

// clock is the program's: the system's.
func clock() func() time.Time { return time.Now }
