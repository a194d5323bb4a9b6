package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A result is what a run measured, as docs/results keeps it: the document shows
// its table.
type result struct {
	Command string           `json:"command"`
	Machine string           `json:"machine"`
	Tables  map[string]table `json:"tables"`
}

type table struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// report has the medians, in brackets the lowest and the highest, and how many
// times as much as the first each contender takes.
func report(contenders []*contender, runs int, machine string) result {
	t := table{Columns: append([]string{"medians"}, names(contenders)...)}
	row := func(name string, of func(*contender) []float64, format string) {
		t.Rows = append(t.Rows, append([]string{name}, cells(contenders, of, format)...))
	}
	row("zip, MB", func(c *contender) []float64 { return []float64{float64(c.zipBytes) / 1e6} }, "%.2f")
	row("exec to the first `next`, ms", func(c *contender) []float64 { return milliseconds(c.init) }, "%.1f")
	row("event to the first answer, ms", func(c *contender) []float64 { return milliseconds(c.answer) }, "%.1f")
	row("exec to the first answer, ms", func(c *contender) []float64 { return milliseconds(c.total) }, "%.1f")
	row("peak memory, MiB", func(c *contender) []float64 {
		var mib []float64
		for _, n := range c.peak {
			mib = append(mib, float64(n)/(1<<20))
		}
		return mib
	}, "%.1f")
	return result{
		Command: "make bench-lambda",
		Machine: fmt.Sprintf("%s; medians of %d cold starts each, interleaved, in brackets the lowest and the highest", machine, runs),
		Tables:  map[string]table{"coldstart": t},
	}
}

// machine describes what this runs on, with the load that was there before. It
// is that of internal/figures, of which a copy of the examples must not need
// anything.
func machine(ctx context.Context) (string, error) {
	text := fmt.Sprintf("%s on %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		text += ", load " + strings.Fields(string(load))[0]
	}
	version, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return "", err
	}
	return text + "; Node.js " + strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), nil
}

func names(contenders []*contender) []string {
	var list []string
	for _, c := range contenders {
		list = append(list, c.name)
	}
	return list
}

func cells(contenders []*contender, of func(*contender) []float64, format string) []string {
	var all []string
	base := median(of(contenders[0]))
	for i, c := range contenders {
		values := of(c)
		cell := fmt.Sprintf(format, median(values))
		if len(values) > 1 {
			cell += fmt.Sprintf(" ("+format+"–"+format+")", slices.Min(values), slices.Max(values))
		}
		if i > 0 {
			ratio, digits := median(values)/base, 1
			switch {
			case ratio >= 10:
				digits = 0
			case ratio < 0.5:
				digits = 2
			}
			cell += fmt.Sprintf(", × %.*f", digits, ratio)
		}
		all = append(all, cell)
	}
	return all
}

func milliseconds(all []time.Duration) []float64 {
	var ms []float64
	for _, d := range all {
		ms = append(ms, d.Seconds()*1e3)
	}
	return ms
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
