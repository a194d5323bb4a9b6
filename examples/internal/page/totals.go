package page

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	pageSize    = 200  // rows of a page, after which other calls get their turn
	maxProjects = 1000 // that are counted separately
	weeks       = 14   // of the histogram; the last bar includes all older ones
	latest      = 20
)

// totals are the counts of a walk over a store.
type totals struct {
	Rows     int       // registrations in any state
	From, At time.Time // when the walk began and ended
	counts   map[string]map[string]int
	ages     [weeks]int // live registrations, by weeks since the app last started
	Latest   []tokens.Registration
}

// add counts a record. A key that a walk returns twice is counted twice.
func (t *totals) add(r store.Record, now time.Time) {
	count := func(what, name string) {
		if t.counts[what] == nil {
			t.counts[what] = map[string]int{}
		}
		if _, counted := t.counts[what][name]; !counted && len(t.counts[what]) >= maxProjects {
			name = "others"
		}
		t.counts[what][name]++
	}
	t.Rows++
	reg := r.Registration
	switch {
	case r.Err != nil:
		count("status", "unreadable")
		return
	case reg.Expired(now):
		count("status", "expired")
		return
	}
	count("status", string(reg.Status))
	count("platform", string(reg.Platform))
	count("project", visible.ID(reg.ProjectID))
	t.ages[min(weeks-1, max(0, int(now.Sub(reg.UpdatedAt)/(7*24*time.Hour))))]++
	if len(t.Latest) < latest || reg.UpdatedAt.After(t.Latest[latest-1].UpdatedAt) {
		t.Latest = append(t.Latest, reg)
		slices.SortStableFunc(t.Latest, func(a, b tokens.Registration) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
		t.Latest = t.Latest[:min(latest, len(t.Latest))]
	}
}

// Kinds returns the arguments of Lines.
func (t *totals) Kinds() []string { return []string{"status", "platform", "project"} }

type line struct {
	Name string
	N    int
}

// Lines returns the twelve greatest counts, the greatest first.
func (t *totals) Lines(what string) []line {
	var lines []line
	for name, n := range t.counts[what] {
		lines = append(lines, line{name, n})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return lines[:min(len(lines), 12)]
}

// A bar is of the histogram, in a picture that is 100 high.
type bar struct{ Week, N, X, Y, Height int }

func (t *totals) Bars() []bar {
	var bars []bar
	most := max(1, slices.Max(t.ages[:]))
	for week, n := range t.ages {
		height := (n*96 + most - 1) / most
		bars = append(bars, bar{week, n, week * 40, 100 - height, height})
	}
	return bars
}

// countAll counts the whole store, at most perSecond rows a second. It calls progress
// after each page.
func countAll(ctx context.Context, w store.Walker, perSecond int, progress func(rows int)) (*totals, error) {
	t := &totals{From: time.Now(), counts: map[string]map[string]int{}}
	limiter := rate.NewLimiter(rate.Limit(perSecond), min(pageSize, perSecond))
	for r, err := range store.Walk(ctx, w, "", pageSize) {
		if err == nil {
			err = limiter.Wait(ctx)
		}
		if err != nil {
			return nil, err
		}
		t.add(r, time.Now())
		if t.Rows%pageSize == 0 {
			progress(t.Rows)
		}
	}
	t.At = time.Now()
	return t, nil
}
