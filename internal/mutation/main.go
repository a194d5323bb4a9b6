package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/internal/figures"
)

// leastKilled is how many percent of a group's mutants the tests have to kill.
const leastKilled = 85

func main() {
	log.SetFlags(0)
	resume := flag.Bool("resume", false, "leave out what an earlier run has killed, of files that are unchanged")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, flag.Args(), *resume); err != nil {
		stop()
		log.Fatal(err)
	}
}

// measure tries the groups that are named, or all of them, and records their
// figures beside those of the others.
func measure(ctx context.Context, names []string, resume bool) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	judgements, err := readJudgements(root)
	if err != nil {
		return err
	}
	l := lab{
		tree: filepath.Join(root, ".cache/mutation/tree"), results: filepath.Join(root, ".cache/mutation/built"),
		limit: map[string]time.Duration{},
	}
	if err := os.MkdirAll(l.results, 0o755); err != nil {
		return err
	}
	if l.known, err = readKnown(filepath.Join(root, ".cache/mutation/known.json"), resume); err != nil {
		return err
	}
	if err := copyTree(ctx, root, l.tree); err != nil {
		return err
	}
	var (
		r      report
		faults []error
	)
	for _, g := range groups {
		if len(names) > 0 && !slices.Contains(names, g.name) {
			continue
		}
		all, err := g.mutants(l.tree)
		if err != nil {
			return err
		}
		if err := l.prepare(ctx, g); err != nil {
			return err
		}
		fates, err := l.tryAll(ctx, g, all)
		if err != nil {
			return err
		}
		faults = append(faults, r.add(g, all, fates, judgements))
	}
	if len(r.groups) == 0 {
		return fmt.Errorf("no group is named %s", strings.Join(names, ", "))
	}
	faults = append(faults, r.write(filepath.Join(root, figures.Results)))
	return errors.Join(faults...)
}

// tryAll tries the mutants, one on each CPU, and says how it goes.
func (l *lab) tryAll(ctx context.Context, g group, all []mutant) ([]fate, error) {
	fates, errs := make([]fate, len(all)), make([]error, len(all))
	next := make(chan int)
	var wg sync.WaitGroup
	for worker := range runtime.NumCPU() {
		folder := filepath.Join(l.results, fmt.Sprint(worker))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		wg.Go(func() {
			for i := range next {
				if fates[i], errs[i] = l.fate(ctx, g, all[i], folder); fates[i] == survived || fates[i] == exhausted {
					log.Printf("%s:%d: %s: %s\n\t%s", all[i].File, all[i].Line, all[i].Mutation, fates[i], all[i].Code)
				}
			}
		})
	}
	for i := range all {
		next <- i
		if i%50 == 49 {
			log.Printf("%s: %d of %d", g.name, i+1, len(all))
		}
	}
	close(next)
	wg.Wait()
	return fates, errors.Join(errs...)
}

func (f fate) String() string {
	return [...]string{"killed", "survived", "out of time or memory", "does not compile"}[f]
}
