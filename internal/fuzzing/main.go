// Fuzzing runs every fuzz target of every module for a while, one at a time, and
// records what that came to: `make fuzz-long`. `make fuzz` is the short form,
// which records nothing.
//
// Of the inputs that a run found worth keeping it leaves a few small ones in
// testdata/fuzz, where each run of the tests tries them.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/devicetokens/devicetokens/internal/figures"
)

func main() {
	log.SetFlags(0)
	time := flag.String("time", "60s", "how long to run each target, as -fuzztime has it")
	keep := flag.Int("keep", 12, "how many new inputs of a target to keep")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *time, *keep); err != nil {
		stop()
		log.Fatal(err)
	}
}

func run(ctx context.Context, time string, keep int) error {
	modules, err := output(ctx, ".", "scripts/modules.sh")
	if err != nil {
		return err
	}
	cache, err := output(ctx, ".", "go", "env", "GOCACHE")
	if err != nil {
		return err
	}
	var runs []fuzzed
	for module := range strings.FieldsSeq(modules) {
		targets, err := list(ctx, module)
		if err != nil {
			return err
		}
		for _, t := range targets {
			f, err := t.fuzz(ctx, time)
			if err != nil {
				return err
			}
			log.Printf("%s: %d executions, %d new inputs, %d crashes", t, f.executions, f.inputs, f.crashes)
			if err := t.keep(filepath.Join(strings.TrimSpace(cache), "fuzz"), keep); err != nil {
				return err
			}
			runs = append(runs, f)
		}
	}
	if len(runs) == 0 {
		return fmt.Errorf("there is no fuzz target")
	}
	if err := result(runs, time).Write(figures.Results, "fuzz"); err != nil {
		return err
	}
	for _, f := range runs {
		if f.crashes > 0 {
			return fmt.Errorf("%s has a failing input", f.target)
		}
	}
	return nil
}

func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}
