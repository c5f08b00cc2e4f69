package e2e

import (
	"fmt"
	"os"
	"syscall"
)

func peakMemory(s *os.ProcessState) string {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return "its memory is not known"
	}
	return fmt.Sprintf("at most %d MB of memory", usage.Maxrss>>10)
}
