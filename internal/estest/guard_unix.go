//go:build unix

package estest

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// guard is a shell that waits for the end of a pipe that only this process can write to. When this
// process lets go of it, or ends in any way (SIGKILL, a panic, os.Exit in a test), the shell kills
// the server and deletes its folder.
//
// A parent-death signal would do less: it exists on Linux only, follows the thread that started the
// child and not the process, reaches the launcher but not the server that the launcher starts, and
// deletes nothing.
type guard struct {
	cmd   *exec.Cmd
	pipe  io.WriteCloser
	group int // the server's process group
}

// guardScript kills the process group $1 when it is told to or its pipe is closed, and waits until
// it is gone (at most five seconds: where nobody reaps zombies, it stays). It deletes the folder $2
// when the pipe is closed, unless it was told that another guard holds the folder.
const guardScript = `
read -r order
kill -9 -"$1" 2>/dev/null
n=0
while [ $n -lt 100 ] && kill -0 -"$1" 2>/dev/null; do
	sleep 0.05
	n=$((n+1))
done
[ "$order" = kill ] && read -r order
[ "$order" = leave ] || rm -rf "$2"`

// startGuarded starts the command as the leader of a process group of its own, under guard.
func startGuarded(cmd *exec.Cmd, folder string) (*guard, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	group := cmd.Process.Pid
	shell := exec.Command("/bin/sh", "-c", guardScript, "estest-guard", strconv.Itoa(group), folder)
	shell.Dir = rootFolder()
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must not end the guard first
	pipe, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		_ = syscall.Kill(-group, syscall.SIGKILL)
		_ = cmd.Wait()
		return nil, fmt.Errorf("start its guard: %w", err)
	}
	return &guard{cmd: shell, pipe: pipe, group: group}, nil
}

// kill ends the server and leaves its folder, which the guard still deletes when this process ends.
func (g *guard) kill() error {
	_, err := io.WriteString(g.pipe, "kill\n")
	return err
}

// hang stops the server without ending it, and wake lets it go on.
func (g *guard) hang() error { return syscall.Kill(-g.group, syscall.SIGSTOP) }
func (g *guard) wake() error { return syscall.Kill(-g.group, syscall.SIGCONT) }

// leave dismisses the guard of a server that was killed: another one holds its folder.
func (g *guard) leave() error {
	if _, err := io.WriteString(g.pipe, "leave\n"); err != nil {
		return err
	}
	return g.release()
}

// release ends the server and returns when it is gone.
func (g *guard) release() error {
	if err := g.pipe.Close(); err != nil {
		return err
	}
	return g.cmd.Wait()
}

// account is the user that the server runs as; nil is this process's own.
type account struct {
	uid, gid uint32
}

// serverAccount is nobody for root, since Elasticsearch refuses to run as root.
func serverAccount() *account {
	if os.Geteuid() != 0 {
		return nil
	}
	a := &account{uid: 65534, gid: 65534}
	if nobody, err := user.Lookup("nobody"); err == nil {
		uid, errUID := strconv.ParseUint(nobody.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(nobody.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			a = &account{uid: uint32(uid), gid: uint32(gid)}
		}
	}
	return a
}

func (a *account) String() string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf(" as user %d", a.uid)
}

func (a *account) apply(cmd *exec.Cmd) {
	if a == nil {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
}

// own gives a folder and what is in it to the account.
func (a *account) own(folder string) error {
	if a == nil {
		return nil
	}
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(a.uid), int(a.gid))
	})
}
