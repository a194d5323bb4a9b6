//go:build !linux && !darwin

package dynamotest

import "os/exec"

// lock locks nothing, so test binaries that begin together may each start an engine.
func lock(string) (unlock func(), err error) { return func() {}, nil }

// detach leaves the command to the signals of this terminal.
func detach(*exec.Cmd) {}
