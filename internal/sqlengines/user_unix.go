//go:build linux || darwin

package sqlengines

import (
	"os"
	"os/exec"
	"syscall"
)

// unprivileged is the uid of a user that owns no files.
const unprivileged = 65534

// drop makes the command run as the unprivileged user if the test runs as root.
func drop(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
	}
}

// hand gives the folder to the unprivileged user if the test runs as root.
func hand(folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(folder, unprivileged, unprivileged)
}
