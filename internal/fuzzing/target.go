package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/devicetokens/devicetokens/internal/figures"
)

// A target is a fuzz test.
type target struct{ module, pkg, name string }

// String leaves out the module's path.
func (t target) String() string {
	return strings.TrimPrefix(t.pkg, "github.com/devicetokens/devicetokens/") + " " + t.name
}

// list returns the targets of a module.
func list(ctx context.Context, module string) ([]target, error) {
	out, err := output(ctx, module, "go", "test", "-vet=off", "-list", "^Fuzz", "./...")
	if err != nil {
		return nil, err
	}
	return parseList(module, out), nil
}

// parseList reads a package's targets, one a line, and then "ok PACKAGE TIME".
func parseList(module, out string) (targets []target) {
	var names []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				targets = append(targets, target{module, fields[1], name})
			}
			names = nil
		}
	}
	return targets
}

// fuzzed is what a run of a target came to.
type fuzzed struct {
	target
	executions, inputs, total, crashes int
}

// fuzz runs the target on one CPU. That its end comes in the middle of an
// execution makes go test fail, too, but with no input to blame: it is no crash.
func (t target) fuzz(ctx context.Context, time string) (fuzzed, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+time, "-parallel=1", t.pkg)
	cmd.Dir = t.module
	out, err := cmd.CombinedOutput()
	f := fuzzed{target: t}
	ended := f.read(string(out))
	var exit *exec.ExitError
	switch {
	case err == nil:
	case !errors.As(err, &exit), f.crashes == 0 && !ended:
		return f, fmt.Errorf("%s: %w: %s", t, err, out)
	}
	if f.executions == 0 {
		return f, fmt.Errorf("%s: nothing was executed: %s", t, out)
	}
	return f, nil
}

var progress = regexp.MustCompile(`fuzz: elapsed: \S+, execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)`)

// read takes the figures from what go test printed. It reports whether the time
// was up.
func (f *fuzzed) read(out string) (ended bool) {
	for line := range strings.Lines(out) {
		if m := progress.FindStringSubmatch(line); m != nil {
			f.executions, f.inputs, f.total = number(m[1]), number(m[2]), number(m[3])
		}
		if strings.Contains(line, "Failing input written to") || strings.Contains(line, "failure while testing seed corpus entry") {
			f.crashes++
		}
		ended = ended || strings.Contains(line, "context deadline exceeded")
	}
	return ended
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the pattern has digits only
	return n
}

// keep copies the smallest inputs that fuzzing found to testdata/fuzz, until there
// are so many.
func (t target) keep(cache string, most int) error {
	found, err := os.ReadDir(filepath.Join(cache, t.pkg, t.name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	type input struct {
		name string
		text []byte
	}
	var inputs []input
	for _, entry := range found {
		text, err := os.ReadFile(filepath.Join(cache, t.pkg, t.name, entry.Name()))
		if err != nil {
			return err
		}
		inputs = append(inputs, input{entry.Name(), text})
	}
	slices.SortFunc(inputs, func(a, b input) int {
		return cmp.Or(cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.name, b.name))
	})
	dir, err := t.folder()
	if err != nil {
		return err
	}
	corpus := filepath.Join(dir, "testdata", "fuzz", t.name)
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		return err
	}
	kept, err := os.ReadDir(corpus)
	if err != nil {
		return err
	}
	for _, in := range inputs[:max(0, min(len(inputs), most-len(kept)))] {
		if err := os.WriteFile(filepath.Join(corpus, in.name), in.text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// folder is where the target's package is.
func (t target) folder() (string, error) {
	dir, err := output(context.Background(), t.module, "go", "list", "-f", "{{.Dir}}", t.pkg)
	return strings.TrimSpace(dir), err
}

func result(runs []fuzzed, time string) figures.Result {
	var rows [][]string
	var all fuzzed
	for _, f := range runs {
		rows = append(rows, []string{f.target.String(), fmt.Sprint(f.executions), fmt.Sprint(f.inputs), fmt.Sprint(f.total), fmt.Sprint(f.crashes)})
		all.executions += f.executions
		all.inputs += f.inputs
		all.total += f.total
		all.crashes += f.crashes
	}
	rows = append(rows, []string{"all", fmt.Sprint(all.executions), fmt.Sprint(all.inputs), fmt.Sprint(all.total), fmt.Sprint(all.crashes)})
	return figures.Result{Command: "make fuzz-long LONGFUZZTIME=" + time, Machine: figures.Machine(), Tables: map[string]figures.Table{
		"targets": {Columns: []string{"target", "executions", "new inputs", "inputs in all", "crashes"}, Rows: rows},
	}}
}
