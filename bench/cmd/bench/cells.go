package main

import (
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/perf/benchmath"

	"github.com/devicetokens/devicetokens/bench/internal/turns"
)

// three has three significant digits, and all those before the point.
func three(v float64) string {
	digits := 2
	for limit := 10.0; digits > 0 && math.Abs(v) >= limit; limit *= 10 {
		digits--
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// median is the median of the rounds, in a unit of that size.
func median(rounds []float64, unit float64) string { return three(turns.Median(rounds).Center / unit) }

// ratio is the median of the ratios, with the bounds of its confidence interval.
func ratio(measured, floor []float64) string { return bounds(turns.Ratio(measured, floor)) }

func bounds(s benchmath.Summary) string {
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) { // too few rounds to tell
		return fmt.Sprintf("%.2f", s.Center)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Center, s.Lo, s.Hi)
}

// thousands writes 1000000 as 1,000,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// versions names the modules of these paths with the versions that this program
// is built of.
func versions(paths ...string) string {
	info, _ := debug.ReadBuildInfo()
	var all []string
	for _, path := range paths {
		for _, m := range info.Deps {
			if m.Path == path {
				all = append(all, path+" "+m.Version)
			}
		}
	}
	return strings.Join(all, ", ")
}

// medians says how the figures were made.
func medians(rounds int) string {
	return fmt.Sprintf("medians of %d rounds, and of the ratios within each round, in brackets their bounds at 95 %% confidence", rounds)
}
