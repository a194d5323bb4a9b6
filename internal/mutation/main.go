package main

import (
	"context"
	"encoding/json"
	"errors"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, os.Args[1:]); err != nil {
		stop()
		log.Fatal(err)
	}
}

// measure tries the groups that are named, or all of them, and then records the
// figures.
func measure(ctx context.Context, names []string) error {
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
	if len(names) == 0 {
		faults = append(faults, r.result().Write(filepath.Join(root, figures.Results), "mutation"))
	}
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
				if fates[i], errs[i] = l.try(ctx, g, all[i], folder); fates[i] == survived || fates[i] == exhausted {
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

// A report is what the groups came to.
type report struct {
	groups, survivors [][]string
}

// add notes a group, and returns what is wrong with it.
func (r *report) add(g group, all []mutant, fates []fate, judgements []judgement) error {
	count := map[fate]int{}
	var alive []mutant
	for i, f := range fates {
		count[f]++
		if f == survived || f == exhausted {
			alive = append(alive, all[i])
		}
	}
	viable := len(all) - count[notViable]
	percent := 100 * float64(count[killed]) / float64(viable)
	of, unjudged, stale := judge(judgements, all, alive)
	equivalent := 0
	for i, m := range alive {
		j := of[i]
		if j.Verdict == "equivalent" {
			equivalent++
		}
		r.survivors = append(r.survivors, []string{
			fmt.Sprintf("%s:%d", m.File, m.Line), cell(m.Code), cell(m.Mutation), j.Verdict, cell(j.Why),
		})
	}
	row := []string{
		g.name, fmt.Sprint(viable), fmt.Sprint(count[killed]), fmt.Sprint(count[survived]), fmt.Sprint(count[exhausted]),
		fmt.Sprint(equivalent), fmt.Sprintf("%.1f", percent),
	}
	r.groups = append(r.groups, row)
	log.Printf("%s: %d mutants, %d killed, %d survived, %d out of time or memory, %.1f %% killed; %d did not compile",
		g.name, viable, count[killed], count[survived], count[exhausted], percent, count[notViable])

	var faults []error
	if percent < leastKilled {
		faults = append(faults, fmt.Errorf("%s: %.1f %% of the mutants were killed, want %d", g.name, percent, leastKilled))
	}
	for _, m := range unjudged {
		template, err := json.Marshal(judgement{File: m.File, Code: m.Code, Mutation: m.Mutation})
		faults = append(faults, fmt.Errorf("%s:%d: %s: no judgement in %s: %s", m.File, m.Line, m.Mutation, judgementsFile, template), err)
	}
	for _, j := range stale {
		faults = append(faults, fmt.Errorf("%s: %s of %q was killed, or is gone: remove its judgement", j.File, j.Mutation, j.Code))
	}
	return errors.Join(faults...)
}

// cell is a text as a table can show it.
func cell(s string) string { return strings.ReplaceAll(s, "|", "¦") }

func (r *report) result() figures.Result {
	return figures.Result{
		Command: "make mutation", Machine: figures.Machine(),
		Tables: map[string]figures.Table{
			"groups": {
				Columns: []string{"code", "mutants", "killed", "survived", "out of time or memory", "judged equivalent", "% killed"},
				Rows:    r.groups,
			},
			"survivors": {Columns: []string{"where", "line", "mutation", "verdict", "why"}, Rows: r.survivors},
		},
	}
}
