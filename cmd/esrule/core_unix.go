//go:build unix

package main

import "syscall"

// noCore keeps the process's memory, which holds the password, out of core files. Where the kernel
// hands cores to a program instead, that program's configuration decides (docs/operations.md).
func noCore() {
	// lowering a limit is always allowed
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
