// Package turns sums up measurements of contenders that took turns: in each round
// every one of them is measured once, so that whatever else the machine does
// slows all of them, and they are compared by their ratios within a round.
package turns

import (
	"golang.org/x/perf/benchmath"
)

const confidence = 0.95

// Median returns the median of the rounds, with bounds that hold it with a
// confidence of 95 %, whatever the distribution is. With fewer than six rounds
// there are no such bounds: one of them is infinite, or both.
func Median(rounds []float64) benchmath.Summary {
	sample := benchmath.NewSample(append([]float64(nil), rounds...), &benchmath.DefaultThresholds)
	return benchmath.AssumeNothing.Summary(sample, confidence)
}

// Ratio returns the median of the ratios within the rounds.
func Ratio(measured, floor []float64) benchmath.Summary {
	ratios := make([]float64, len(measured))
	for i := range measured {
		ratios[i] = measured[i] / floor[i]
	}
	return Median(ratios)
}
