//go:build !linux && !darwin

package dynamotest

import "os/exec"

// lock locks nothing: here, test binaries that begin at once may each start an
// engine. The last one to do so leaves its address for those that come later.
func lock(string) (unlock func(), err error) { return func() {}, nil }

// detach leaves the command to the signals of this terminal.
func detach(*exec.Cmd) {}
