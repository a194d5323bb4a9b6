package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is a Markdown document: the medians, and how many times as much each
// contender takes as the first one.
func report(contenders []*contender, runs int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Cold start of the Lambda function

Medians of %d cold starts each, interleaved, in brackets the lowest and the highest; then how many times as much as the
function of `+"`examples/lambda`"+`. %s, Node.js 26, %s/%s, %d processors. Made by `+"`make bench-lambda`"+`;
`+"`examples/lambda/bench`"+` says how.

| | %s |
| --- |%s
`, runs, strings.Replace(runtime.Version(), "go", "Go ", 1), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		strings.Join(names(contenders), " | "), strings.Repeat(" --- |", len(contenders)))
	row(&b, "zip, MB", contenders, func(c *contender) []float64 { return []float64{float64(c.zipBytes) / 1e6} }, "%.2f")
	row(&b, "exec to the first `next`, ms", contenders, func(c *contender) []float64 { return milliseconds(c.init) }, "%.1f")
	row(&b, "event to the first answer, ms", contenders, func(c *contender) []float64 { return milliseconds(c.answer) }, "%.1f")
	row(&b, "exec to the first answer, ms", contenders, func(c *contender) []float64 { return milliseconds(c.total) }, "%.1f")
	row(&b, "peak memory, MiB", contenders, func(c *contender) []float64 {
		var mib []float64
		for _, n := range c.peak {
			mib = append(mib, float64(n)/(1<<20))
		}
		return mib
	}, "%.1f")
	b.WriteString(`
The zip of the Node.js handler is its bundle alone; Node.js itself is Lambda's. The client of the Runtime API that it
runs by is shorter than Lambda's own, which favours it. Memory is the most that was resident (VmHWM).
`)
	return b.String()
}

func names(contenders []*contender) []string {
	var list []string
	for _, c := range contenders {
		list = append(list, c.name)
	}
	return list
}

func row(b *strings.Builder, name string, contenders []*contender, of func(*contender) []float64, format string) {
	fmt.Fprintf(b, "| %s |", name)
	base := median(of(contenders[0]))
	for i, c := range contenders {
		values := of(c)
		fmt.Fprintf(b, " "+format, median(values))
		if len(values) > 1 {
			fmt.Fprintf(b, " ("+format+"–"+format+")", slices.Min(values), slices.Max(values))
		}
		if i > 0 {
			ratio, digits := median(values)/base, 1
			switch {
			case ratio >= 10:
				digits = 0
			case ratio < 0.5:
				digits = 2
			}
			fmt.Fprintf(b, ", × %.*f", digits, ratio)
		}
		b.WriteString(" |")
	}
	b.WriteString("\n")
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
