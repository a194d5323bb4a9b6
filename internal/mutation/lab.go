package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A lab tries mutants on a copy of the tree, since tests leave files behind when
// they fail.
type lab struct {
	tree    string                   // the copy
	results string                   // for what is built
	limit   map[string]time.Duration // how long the tests of a package may take
	known   *known
}

// A fate is what became of a mutant.
type fate int

const (
	killed    fate = iota
	survived       // all tests pass
	exhausted      // out of time or memory
	notViable      // does not compile
)

// copyTree copies what git knows or would add, as it is now, from the folder
// root.
func copyTree(ctx context.Context, root, tree string) error {
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	list := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // git has not been told yet
		}
		if err != nil {
			return err
		}
		copied := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(copied), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(copied, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// prepare fails unless the tests of the group pass as they are, several times:
// one that fails now and then would kill anything. It notes how long they take.
func (l *lab) prepare(ctx context.Context, g group) error {
	for _, pkg := range g.tests {
		binary := filepath.Join(l.results, g.name+"-"+filepath.Base(pkg)+".test")
		if out, err := l.build(ctx, pkg, "", binary); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		l.limit[pkg] = time.Minute
		var longest time.Duration
		for range 3 {
			began := time.Now()
			fate, out := l.run(ctx, g, pkg, binary)
			if fate != survived {
				return fmt.Errorf("the tests of %s fail as they are: %s", pkg, out)
			}
			longest = max(longest, time.Since(began))
		}
		l.limit[pkg] = 5*time.Second + 5*longest
	}
	return nil
}

// fate returns the mutant's, without trying it if it is known.
func (l *lab) fate(ctx context.Context, g group, m mutant, folder string) (fate, error) {
	id, err := l.known.id(l.tree, m)
	if err != nil {
		return 0, err
	}
	if f, ok := l.known.fate(id); ok {
		return f, nil
	}
	f, err := l.try(ctx, g, m, folder)
	if err != nil {
		return 0, err
	}
	return f, l.known.add(id, f)
}

// try returns the mutant's fate. The folder is the caller's alone.
func (l *lab) try(ctx context.Context, g group, m mutant, folder string) (fate, error) {
	source, err := os.ReadFile(filepath.Join(l.tree, m.File))
	if err != nil {
		return 0, err
	}
	changed := filepath.Join(folder, filepath.Base(m.File))
	if err := os.WriteFile(changed, m.apply(source), 0o644); err != nil {
		return 0, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(l.tree, m.File): changed}})
	if err != nil {
		return 0, err
	}
	replacements := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(replacements, overlay, 0o644); err != nil {
		return 0, err
	}
	for _, pkg := range g.tests {
		binary := filepath.Join(folder, filepath.Base(pkg)+".test")
		if out, err := l.build(ctx, pkg, replacements, binary); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			if !bytes.Contains(out, []byte(filepath.Base(m.File)+":")) {
				return 0, fmt.Errorf("%s:%d, %s: %w: %s", m.File, m.Line, m.Mutation, err, out)
			}
			return notViable, nil
		}
		if fate, _ := l.run(ctx, g, pkg, binary); fate != survived {
			return fate, ctx.Err()
		}
	}
	return survived, ctx.Err()
}

func (l *lab) build(ctx context.Context, pkg, overlay, binary string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, "./"+pkg)
	cmd.Dir = l.tree
	return cmd.CombinedOutput()
}

// memory is how many KiB of addresses the tests may have.
const memory = 4 << 20

// run runs the tests where they expect to be, but with no program in reach: the
// ones that need an engine skip themselves.
func (l *lab) run(ctx context.Context, g group, pkg, binary string) (fate, []byte) {
	ctx, cancel := context.WithTimeout(ctx, l.limit[pkg])
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, memory),
		binary, "-test.failfast", "-test.skip="+g.skip)
	cmd.Dir = filepath.Join(l.tree, pkg)
	cmd.Env = []string{"PATH=/none", "HOME=" + l.results, "TMPDIR=" + os.TempDir()}
	// What the tests start goes with them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return survived, out
	case ctx.Err() != nil, bytes.Contains(out, []byte("out of memory")), bytes.Contains(out, []byte("cannot allocate memory")):
		return exhausted, out
	}
	return killed, out
}
