package estest

import (
	"os"
)

// newFolder makes a folder for one server's files: in ESTEST_FOLDER, in memory where that can be,
// or where temporary files go.
//
// A server waits for its disk a dozen times for each index and each new field, and a test makes
// many: in memory an index is made, filled and deleted in about half the time.
func newFolder() (string, error) {
	parent := os.Getenv("ESTEST_FOLDER")
	if parent == "" {
		parent = memoryFolder("/dev/shm")
	}
	return os.MkdirTemp(parent, "estest-")
}
