package turns

import (
	"math"
	"testing"
)

func TestRatio(t *testing.T) {
	floor := []float64{10, 20, 10, 40, 10, 10, 10}
	measured := []float64{11, 20, 12, 44, 10, 90, 11} // slow in one round
	s := Ratio(measured, floor)
	if s.Center != 1.1 || s.Lo != 1 || s.Hi != 9 {
		t.Errorf("the ratio is %v from %v to %v, want 1.1 from 1 to 9", s.Center, s.Lo, s.Hi)
	}
	if measured[0] != 11 || floor[0] != 10 {
		t.Error("the rounds were sorted in place")
	}
}

func TestFewRounds(t *testing.T) {
	if s := Median([]float64{1, 2, 3, 4, 5}); s.Center != 3 || !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) {
		t.Errorf("five rounds give %v from %v to %v, want 3 without bounds", s.Center, s.Lo, s.Hi)
	}
}
