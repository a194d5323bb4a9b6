//go:build linux || darwin

package dynamotest

import (
	"os"
	"os/exec"
	"syscall"
)

// lock waits until no other process holds the lock of the file. A process that
// ends gives its lock back.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	return func() { _ = f.Close() }, err
}

// detach puts the command into a session of its own, which the signals of this
// terminal do not reach.
func detach(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
}
