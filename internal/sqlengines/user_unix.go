//go:build linux || darwin

package sqlengines

import (
	"os"
	"os/exec"
	"syscall"
)

// nobody is a user that owns nothing.
const nobody = 65534

// drop makes the command run as nobody if we are root.
func drop(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// hand gives the folder to nobody if we are root.
func hand(folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(folder, nobody, nobody)
}
