package dynamostore

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCursor follows a scan of three segments to its end, and reads its cursor at
// every step.
func TestCursor(t *testing.T) {
	s := newScan(3)
	for _, step := range []struct {
		segment int32
		next    item
		want    []position
	}{
		{1, keyOf(rowKey), []position{{Segment: 0}, {1, "user", "device"}, {Segment: 2}}},
		{0, nil, []position{{1, "user", "device"}, {Segment: 2}}},
		{2, claimID("#claim#1#x").key(), []position{{1, "user", "device"}, {2, "#claim#1#x", "#"}}},
		{1, item{}, []position{{2, "#claim#1#x", "#"}}},
	} {
		s.advance(step.segment, step.next)
		read, err := parseCursor(s.cursor())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(scan{Segments: 3, Positions: step.want}, read); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	s.advance(2, nil)
	if s.cursor() != "" {
		t.Errorf("at the end the cursor is %q", s.cursor())
	}
}

// FuzzCursor reads cursors: one that is accepted names distinct segments, and
// writing it gives the same positions again.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("WyJhIiwiYiJd")
	f.Add(newScan(2).cursor())
	f.Add(scan{Segments: 2, Positions: []position{{1, "#claim#1#x", "#"}}}.cursor())
	f.Add(scan{Segments: 1, Positions: []position{{0, "a", ""}, {0, "a", "b"}, {-1, "", ""}}}.cursor())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseCursor(text)
		if err != nil {
			return
		}
		again, err := parseCursor(s.cursor())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
		for _, p := range s.Positions {
			in := s.input(p.Segment, nil, 1)
			if s.Segments > 1 && (*in.Segment < 0 || *in.Segment >= *in.TotalSegments) || len(in.ExclusiveStartKey)%2 != 0 {
				t.Errorf("the scan of %+v is %+v", p, in)
			}
		}
	})
}
