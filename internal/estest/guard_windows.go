package estest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// guard is a job object: the system ends every process in it when its last handle is closed, which
// happens when this process ends, in whatever way.
type guard struct {
	job    windows.Handle
	folder string
}

func startGuarded(cmd *exec.Cmd, folder string) (*guard, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("create a job object: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = windows.CloseHandle(job)
		return nil, err
	}
	if err := assign(job, cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = windows.CloseHandle(job)
		return nil, fmt.Errorf("put it into a job object: %w", err)
	}
	return &guard{job: job, folder: folder}, nil
}

func assign(job windows.Handle, pid int) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false,
		uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process)
	return windows.AssignProcessToJobObject(job, process)
}

// kill ends the server and leaves its folder.
func (g *guard) kill() error {
	return windows.TerminateJobObject(g.job, 1)
}

// leave dismisses the guard of a server that was killed: another one holds its folder.
func (g *guard) leave() error {
	return windows.CloseHandle(g.job)
}

// release ends the server; its files can be deleted only once its last process is gone.
func (g *guard) release() error {
	if err := windows.CloseHandle(g.job); err != nil {
		return err
	}
	var err error
	for range 100 {
		if err = os.RemoveAll(g.folder); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// account is the user that the server runs as; on Windows always this process's own.
type account struct{}

func serverAccount() *account     { return nil }
func (*account) String() string   { return "" }
func (*account) apply(*exec.Cmd)  {}
func (*account) own(string) error { return nil }

func (g *guard) hang() error { return errors.ErrUnsupported }
func (g *guard) wake() error { return errors.ErrUnsupported }
