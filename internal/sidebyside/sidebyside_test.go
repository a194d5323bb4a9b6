package sidebyside

import (
	"flag"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

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
	play(t, t, client, func(s store.Store) store.Store { return s })
	t.Logf("%+v", total)
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
