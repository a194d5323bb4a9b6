package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/devicetokens/devicetokens/internal/figures"
)

// A report is what the groups came to.
type report struct{ groups, survivors [][]string }

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
			g.name, fmt.Sprintf("%s:%d", m.File, m.Line), cell(m.Code), cell(m.Mutation), j.Verdict, cell(j.Why),
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
		template, err := json.Marshal(judgement{File: m.File, Func: m.Func, Code: m.Code, Mutation: m.Mutation})
		faults = append(faults, fmt.Errorf("%s:%d: %s: no judgement in %s: %s", m.File, m.Line, m.Mutation, judgementsFile, template), err)
	}
	for _, j := range stale {
		faults = append(faults, fmt.Errorf("%s: %s of %q was killed, or is gone: remove its judgement", j.File, j.Mutation, j.Code))
	}
	return errors.Join(faults...)
}

// cell is a text as a table can show it.
func cell(s string) string { return strings.ReplaceAll(s, "|", "¦") }

// The tables of the result. The first column of either tells which group a row is
// of.
const (
	groupsTable    = "groups"
	survivorsTable = "survivors"
)

// write records the report. Groups that were not measured keep their last figures.
func (r *report) write(folder string) error {
	tables := map[string]figures.Table{
		groupsTable: {
			Columns: []string{"code", "mutants", "killed", "survived", "out of time or memory", "of these equivalent", "% killed"},
			Rows:    r.groups,
		},
		survivorsTable: {Columns: []string{"code", "where", "text", "mutation", "verdict", "why"}, Rows: r.survivors},
	}
	last, err := figures.Read(os.DirFS(folder), "mutation")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for name, table := range tables {
		table.Rows = merge(table.Rows, last.Tables[name].Rows, r.groups)
		tables[name] = table
	}
	return figures.Result{Command: "make mutation", Machine: figures.Machine(), Tables: tables}.Write(folder, "mutation")
}

// merge adds the last rows of the groups that were not measured, and puts them in
// the order of the groups.
func merge(rows, last, measured [][]string) [][]string {
	merged := slices.Clone(rows)
	for _, row := range last {
		if !slices.ContainsFunc(measured, func(m []string) bool { return m[0] == row[0] }) {
			merged = append(merged, row)
		}
	}
	place := func(row []string) int {
		return slices.IndexFunc(groups, func(g group) bool { return g.name == row[0] })
	}
	slices.SortStableFunc(merged, func(a, b []string) int { return place(a) - place(b) })
	return merged
}
