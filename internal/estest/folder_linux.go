package estest

import (
	"golang.org/x/sys/unix"
)

// roomInMemory is what a folder in memory must have left for a server to be put there. The server
// of a whole run of the tests holds less than half a gigabyte at once.
const roomInMemory = 2 << 30

// memoryFolder returns the folder where it is in memory, has room and lets programs in it run (the
// server's Java puts libraries of its own there); "" where not.
func memoryFolder(folder string) string {
	var found unix.Statfs_t
	if err := unix.Statfs(folder, &found); err != nil {
		return ""
	}
	free := found.Bavail * uint64(found.Bsize)
	if found.Type != unix.TMPFS_MAGIC || found.Flags&unix.ST_NOEXEC != 0 || free < roomInMemory ||
		unix.Access(folder, unix.W_OK|unix.X_OK) != nil {
		return ""
	}
	return folder
}
