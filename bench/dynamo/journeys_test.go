package dynamo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// BenchmarkDynamoDBLocal measures calls on a table, with the round trips and units
// of each.
func BenchmarkDynamoDBLocal(b *testing.B) {
	for _, j := range Journeys() {
		for _, name := range EndToEnd {
			b.Run(j.Name+"/impl="+name, func(b *testing.B) {
				cost, err := j.Cost(b, name)
				if err != nil {
					b.Fatal(err)
				}
				s := NewTable(b, name, nil)
				if err := j.Prepare(b.Context(), s); err != nil {
					b.Fatal(err)
				}
				for n := 0; b.Loop(); n++ {
					if err := j.Call(b.Context(), s, n); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cost.RoundTrips), "calls/op")
				b.ReportMetric(cost.WriteUnits, "write-units/op")
				b.ReportMetric(cost.ReadUnits, "read-units/op")
			})
		}
	}
}

func TestCosts(t *testing.T) {
	want := map[string]map[string]Cost{
		Naive: {
			"refresh":    {RoundTrips: 2, WriteUnits: 1, ReadUnits: 0.5},
			"new-device": {RoundTrips: 2, WriteUnits: 2, ReadUnits: 0.5},
			"move":       {RoundTrips: 3, WriteUnits: 4, ReadUnits: 0.5},
			"list-20":    {RoundTrips: 1, ReadUnits: 2},
		},
		Ours: {
			"refresh":    {RoundTrips: 1, WriteUnits: 1},
			"new-device": {RoundTrips: 3, WriteUnits: 5, ReadUnits: 1},
			"move":       {RoundTrips: 4, WriteUnits: 11, ReadUnits: 1},
			"list-20":    {RoundTrips: 1, ReadUnits: 2},
		},
	}
	got := make(map[string]map[string]Cost)
	for _, name := range EndToEnd {
		got[name] = make(map[string]Cost)
		for _, j := range Journeys() {
			cost, err := j.Cost(t, name)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, j.Name, err)
			}
			got[name][j.Name] = cost
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("costs (-want +got):\n%s", diff)
	}
}

// Both contenders do what a caller asks for as long as it goes well, one call
// after another: the last who registers a token has it alone.
func TestSameJourney(t *testing.T) {
	type seen struct {
		Moved      []bool
		Alice, Bob []tokens.DeviceID
	}
	want := seen{Moved: []bool{false, false, true}, Alice: []tokens.DeviceID{device(1)}, Bob: []tokens.DeviceID{device(0)}}
	for _, name := range EndToEnd {
		s := NewTable(t, name, &dynamotest.Recorder{})
		var got seen
		for _, step := range []struct {
			user tokens.UserID
			n    int
		}{{"alice", 0}, {"alice", 1}, {"bob", 0}} {
			result, err := s.Register(t.Context(), tokens.Request{
				Key: tokens.Key{UserID: step.user, DeviceID: device(step.n)}, Token: tokens.MustParseToken(token(step.n)), Platform: tokens.IOS,
				ProjectID: request.ProjectID,
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if result.Outcome != store.Created {
				t.Errorf("%s: the outcome is %q, want %q", name, result.Outcome, store.Created)
			}
			got.Moved = append(got.Moved, result.Moved())
		}
		for user, list := range map[tokens.UserID]*[]tokens.DeviceID{"alice": &got.Alice, "bob": &got.Bob} {
			regs, err := s.List(t.Context(), user)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range regs {
				*list = append(*list, r.Key.DeviceID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
