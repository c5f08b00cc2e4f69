package estest

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// PeakMemory watches a process until ended is closed, and gives the most memory that it held at
// once, in bytes, as last seen before its end; 0 where the system does not tell. The usage that
// comes with a process's end is of no use for that: Linux counts in it what the parent held when it
// started the process.
func PeakMemory(pid int, ended <-chan struct{}) int64 {
	const pause = 5 * time.Millisecond
	line := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)
	var peak int64
	for {
		select {
		case <-ended:
			return peak
		case <-time.After(pause):
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if found := line.FindSubmatch(status); err == nil && found != nil {
			kib, _ := strconv.ParseInt(string(found[1]), 10, 64) // digits
			peak = max(peak, kib<<10)
		}
	}
}
