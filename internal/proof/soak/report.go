package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/devicetokens/devicetokens/internal/figures"
)

// tables are the figures of a run.
func (s *soak) tables() map[string]figures.Table {
	good := figures.Table{Columns: []string{"good clients", "time", "requests", "wrong answers", "p50 ms", "p99 ms", "p99.9 ms", "longest ms"}}
	for i, p := range s.phases {
		good.Rows = append(good.Rows, []string{
			p.name, []time.Duration{s.duration / 4, s.duration / 2, s.duration / 4}[i].String(),
			strconv.Itoa(len(p.latencies)), strconv.Itoa(p.wrong),
			milliseconds(p.quantile(0.5)), milliseconds(p.quantile(0.99)), milliseconds(p.quantile(0.999)), milliseconds(p.quantile(1)),
		})
	}
	bad := figures.Table{Columns: []string{"bad clients", "connections", "answered with", "ended by the server", "by the client", "too late", "longest s"}}
	for _, t := range s.tallies {
		bad.Rows = append(bad.Rows, []string{
			t.name, strconv.Itoa(t.connections), statuses(t.statuses), strconv.Itoa(t.byServer), strconv.Itoa(t.byClient),
			strconv.Itoa(t.overdue), fmt.Sprintf("%.1f", t.longest.Seconds()),
		})
	}
	flooded := figures.Table{Columns: []string{"flood", "requests", "answered with"}}
	for _, f := range s.floods {
		answers, total := make(map[int]int), 0
		for status, n := range f.answers {
			answers[int(status)] = n
			total += n
		}
		flooded.Rows = append(flooded.Rows, []string{strings.TrimPrefix(f.name, "a flood "), strconv.Itoa(total), statuses(answers)})
	}
	process := figures.Table{Columns: []string{"the server", "goroutines", "heap after a collection"}, Rows: [][]string{
		{"started", strconv.Itoa(s.start.Goroutines), mebibytes(s.start.Heap)},
		{"filled", strconv.Itoa(s.states[0].Goroutines), mebibytes(s.states[0].Heap)},
		{"after the first quiet phase", strconv.Itoa(s.states[1].Goroutines), mebibytes(s.states[1].Heap)},
		{"under misuse", strconv.Itoa(s.peak.Goroutines), mebibytes(s.peak.Heap)},
		{"under the crowd", strconv.Itoa(s.packed.Goroutines), mebibytes(s.packed.Heap)},
		{"in the end, " + strconv.Itoa(s.lines) + " log lines later", strconv.Itoa(s.states[2].Goroutines), mebibytes(s.states[2].Heap)},
	}}
	memory := figures.Table{Columns: []string{"memory of the process, the most at once", "resident"}, Rows: [][]string{
		{"first quiet phase", mebibytes(s.memory[quiet])},
		{"first half of the misuse", mebibytes(s.memory[misused])},
		{"second half of the misuse", mebibytes(s.memory[misusedLonger])},
		{"the crowd", mebibytes(s.memory[crowding])},
		{"second quiet phase", mebibytes(s.memory[quietAgain])},
	}}
	return map[string]figures.Table{"good": good, "bad": bad, "floods": flooded, "server": process, "memory": memory}
}

// print shows the tables.
func (s *soak) print(w io.Writer) {
	tables := s.tables()
	for _, name := range []string{"good", "bad", "floods", "server", "memory"} {
		out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, row := range append([][]string{tables[name].Columns}, tables[name].Rows...) {
			fmt.Fprintln(out, strings.Join(row, "\t"))
		}
		_ = out.Flush()
		fmt.Fprintln(w)
	}
}

// statuses are the statuses of answers, each with its number where they differ.
func statuses(answers map[int]int) string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		text := "nothing"
		if status != 0 {
			text = strconv.Itoa(status)
		}
		if len(answers) > 1 {
			text += fmt.Sprintf(" (%d)", answers[status])
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
