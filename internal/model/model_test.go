package model

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/figures"
	"github.com/devicetokens/devicetokens/store"
)

var record = flag.Bool("model.record", false, "record what was played in docs/results")

// Without a flag that says otherwise, play what takes some seconds.
func init() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
}

// TestSideBySide plays sequences until one shows a difference, which it then makes
// as short as it can.
func TestSideBySide(t *testing.T) {
	client := dynamotest.Client(t, nil)
	began := time.Now()
	play(t, t, client, func(s store.Store) store.Store { return s })
	if t.Failed() {
		return
	}
	t.Logf("%+v", total)
	if *record {
		if err := total.result(time.Since(began)).Write(filepath.Join("../..", figures.Results), "model"); err != nil {
			t.Fatal(err)
		}
	}
}

// play plays sequences, and tells tb of a difference. wrap may put something
// before dynamostore.
func play(t *testing.T, tb rapid.TB, client *dynamodb.Client, wrap func(store.Store) store.Store) {
	rapid.Check(tb, func(rt *rapid.T) {
		m := newMachine(rt, t, client)
		defer m.remove(rt)
		m.real = wrap(m.real)
		rt.Repeat(map[string]func(*rapid.T){"step": m.act(t)})
		m.sameRows(rt, t)
	})
}

// total is what was played. Sequences are played one after another.
var total = played{Steps: map[string]int{}}

type played struct {
	Sequences int
	Steps     map[string]int // by name
	Compared  int            // answers
	Rows      int            // in the end of the sequences
	Moved     int            // registrations that took another user's token
	Evicting  int            // registrations that removed others for the limit
	Removed   int            // items, as by TTL
}

func (p *played) registered(r store.Result) {
	if r.Moved() {
		p.Moved++
	}
	if len(r.Evicted) > 0 {
		p.Evicting++
	}
}

func (p *played) result(took time.Duration) figures.Result {
	rows := [][]string{}
	for _, name := range slices.Sorted(maps.Keys(p.Steps)) {
		rows = append(rows, []string{name, fmt.Sprint(p.Steps[name])})
	}
	return figures.Result{
		Command: "make model", Machine: figures.Machine(),
		Tables: map[string]figures.Table{
			"played": {
				Columns: []string{"", "count"},
				Rows: [][]string{
					{"sequences", fmt.Sprint(p.Sequences)},
					{"steps", fmt.Sprint(p.steps())},
					{"answers compared", fmt.Sprint(p.Compared)},
					{"rows compared in the end", fmt.Sprint(p.Rows)},
					{"registrations that took another user's token", fmt.Sprint(p.Moved)},
					{"registrations that evicted", fmt.Sprint(p.Evicting)},
					{"items that went as TTL removes them", fmt.Sprint(p.Removed)},
					{"differences", "0"},
					{"seconds", fmt.Sprintf("%.0f", took.Seconds())},
				},
			},
			"steps": {Columns: []string{"step", "count"}, Rows: rows},
		},
	}
}

func (p *played) steps() (n int) {
	for _, count := range p.Steps {
		n += count
	}
	return n
}
