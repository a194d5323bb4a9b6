// Package totals counts what a store has, at a limited rate.
package totals

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	pageSize    = 200  // rows of a step, between which other calls come
	maxProjects = 1000 // that are counted one by one
	weeks       = 14   // of the histogram; the last one includes older ones
	latest      = 20
)

// Totals are the counts of a walk over a store.
type Totals struct {
	Rows     int       // registrations, of any state
	From, At time.Time // when the walk began and ended
	counts   map[string]map[string]int
	ages     [weeks]int // live registrations, by weeks since the app last started
	Latest   []tokens.Registration
}

// add counts records. A key that a walk returns twice is counted twice.
func (t *Totals) add(records []store.Record, now time.Time) {
	count := func(what, name string) {
		if t.counts[what] == nil {
			t.counts[what] = map[string]int{}
		}
		if _, counted := t.counts[what][name]; !counted && len(t.counts[what]) >= maxProjects {
			name = "others"
		}
		t.counts[what][name]++
	}
	t.Rows += len(records)
	for _, r := range records {
		reg := r.Registration
		switch {
		case r.Err != nil:
			count("status", "unreadable")
			continue
		case reg.Expired(now):
			count("status", "expired")
			continue
		}
		count("status", string(reg.Status))
		count("platform", string(reg.Platform))
		count("project", visible.ID(string(reg.ProjectID)))
		t.ages[min(weeks-1, max(0, int(now.Sub(reg.UpdatedAt)/(7*24*time.Hour))))]++
		if len(t.Latest) < latest || reg.UpdatedAt.After(t.Latest[latest-1].UpdatedAt) {
			t.Latest = append(t.Latest, reg)
			slices.SortStableFunc(t.Latest, func(a, b tokens.Registration) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
			t.Latest = t.Latest[:min(latest, len(t.Latest))]
		}
	}
}

// Kinds returns what the lines are of.
func (t *Totals) Kinds() []string { return []string{"status", "platform", "project"} }

// A Line is of a table of counts.
type Line struct {
	Name string
	N    int
}

// Lines returns the greatest counts, the greatest first.
func (t *Totals) Lines(what string) []Line {
	var lines []Line
	for name, n := range maps.All(t.counts[what]) {
		lines = append(lines, Line{name, n})
	}
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return lines[:min(len(lines), 12)]
}

// A Bar is of the histogram, in a picture that is 100 high.
type Bar struct{ Week, N, X, Y, Height int }

// Bars returns the histogram.
func (t *Totals) Bars() []Bar {
	var bars []Bar
	most := max(1, slices.Max(t.ages[:]))
	for week, n := range t.ages {
		height := (n*96 + most - 1) / most
		bars = append(bars, Bar{week, n, week * 40, 100 - height, height})
	}
	return bars
}

// Walk counts the whole store, at most perSecond rows a second, and tells how far it
// is.
func Walk(ctx context.Context, w store.Walker, perSecond int, progress func(rows int)) (*Totals, error) {
	t := &Totals{From: time.Now(), counts: map[string]map[string]int{}}
	step := min(pageSize, perSecond)
	limiter := rate.NewLimiter(rate.Limit(perSecond), step)
	for cursor := store.Cursor(""); ; {
		if err := limiter.WaitN(ctx, step); err != nil {
			return nil, err
		}
		records, next, err := w.Page(ctx, cursor, step)
		if err != nil {
			return nil, err
		}
		t.add(records, time.Now())
		progress(t.Rows)
		if cursor = next; cursor == "" {
			t.At = time.Now()
			return t, nil
		}
	}
}
