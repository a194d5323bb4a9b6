package dynamostore

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// TestSegments follows the scan of three segments to its end, and reads its cursor
// at every step.
func TestSegments(t *testing.T) {
	claim := tokens.Key{UserID: "#claim#1#x", DeviceID: "#"}
	s := newSegments(3)
	for _, step := range []struct {
		segment int32
		next    item
		want    openSegments
	}{
		{1, keyOf(rowKey), openSegments{{0, 3, tokens.Key{}}, {1, 3, rowKey}, {2, 3, tokens.Key{}}}},
		{0, nil, openSegments{{1, 3, rowKey}, {2, 3, tokens.Key{}}}},
		{2, keyOf(claim), openSegments{{1, 3, rowKey}, {2, 3, claim}}},
		{1, item{}, openSegments{{2, 3, claim}}},
	} {
		s = s.advance(step.segment, step.next)
		read, err := parseSegments(s.cursor())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, read, cmp.AllowUnexported(scanPosition{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if end := s.advance(2, nil).cursor(); end != "" {
		t.Errorf("at the end the cursor is %q", end)
	}
}

// FuzzCursor reads cursors: one that is accepted names distinct segments of one
// scan, and writing it gives the same text again.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("WyJhIiwiYiJd")
	f.Add(newSegments(2).cursor())
	f.Add(openSegments{{1, 2, tokens.Key{UserID: "#claim#1#x", DeviceID: "#"}}}.cursor())
	f.Add(openSegments{{0, 2, rowKey}, {0, 2, rowKey}}.cursor())
	f.Add(openSegments{{0, 2, rowKey}, {1, 3, rowKey}}.cursor())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSegments(text)
		if err != nil {
			return
		}
		if got := s.cursor(); got != text {
			t.Errorf("%q is written as %q", text, got)
		}
		seen := make(map[int32]bool)
		for _, p := range s {
			if seen[p.segment] || p.segment >= p.segments || p.segments != s[0].segments {
				t.Errorf("the segments are %v", s)
			}
			seen[p.segment] = true
		}
	})
}
