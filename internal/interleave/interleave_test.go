// Package interleave tests package dynamostore by controlled interleaving, on
// DynamoDB Local: a transport lets one request through at a time, in an order
// that a seed decides.
//
// A schedule runs a few concurrent operations of few users and devices, with the same
// few tokens in all spellings. The table also has rows of the earlier service, some of
// which share a token or cannot be decoded. The device limit is small, and servers
// differ in TTL and clock. Between two requests the clock may move, often to a second at
// which a row expires, and TTL may remove an expired item. Requests and responses are
// lost, retried like the SDK retries them, delivered late, or rejected with a conflict.
//
// After each write the package reads the whole table, checks the invariants, and checks
// that the operation changed only its own rows. It compares each result with the table
// at the time of the result. An operation without interference must end, and at the end
// of a schedule each user must be able to register every token again in few calls.
//
// A seed reproduces its schedule:
//
//	go test ./internal/interleave -interleave.seed=42 -interleave.schedules=1 -v
//	go test ./internal/interleave -interleave.seed=1000 -interleave.schedules=5000 -timeout=2h
//
// A seed gives another schedule when the generator changes, so TestScripts has schedules
// that found an error, and rare ones, as scripts.
//
// make ablation tests the package itself: it removes one rule of package dynamostore at a
// time, and expects a violation in a schedule that has none with the rule.
package interleave

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	seed      = flag.Uint64("interleave.seed", 1, "the first `seed`")
	schedules = flag.Int("interleave.schedules", 60, "how many schedules to play, from that seed on")
)

// lanes is the number of schedules that are played at once, each on its own table.
const lanes = 2

func TestSchedules(t *testing.T) {
	var (
		requests atomic.Int64
		failed   atomic.Bool
	)
	t.Run("lanes", func(t *testing.T) {
		for n := range lanes {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				lane := newLane(t)
				for i := n; i < *schedules && !failed.Load(); i += lanes {
					s, err := lane.play(*seed + uint64(i))
					requests.Add(s.requests)
					if err != nil {
						failed.Store(true) // one is enough
						t.Fatalf("-interleave.seed=%d: %v", *seed+uint64(i), err)
					}
				}
			})
		}
	})
	t.Logf("%d schedules of %d requests", *schedules, requests.Load())
}

// kept are schedules that once failed, with the error that they showed.
var kept = map[uint64]string{
	466: "a refresh that is delivered months after its server read the clock writes an expired row",
}

func TestKeptSeeds(t *testing.T) {
	lane := newLane(t)
	for seed, showed := range kept {
		if _, err := lane.play(seed); err != nil {
			t.Errorf("%s: -interleave.seed=%d: %v", showed, seed, err)
		}
	}
}

func TestSeedReproduces(t *testing.T) {
	lane := newLane(t)
	for seed := range uint64(2) {
		first, err := lane.play(seed)
		if err != nil {
			t.Fatalf("-interleave.seed=%d: %v", seed, err)
		}
		again, err := lane.play(seed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.trace, again.trace); diff != "" {
			t.Errorf("-interleave.seed=%d happens in two ways (-first +second):\n%s", seed, diff)
		}
	}
}

// A script is a schedule written by hand, for a case that random ones seldom reach.
type script struct {
	testing.TB
	*schedule
}

var scripts = []struct {
	name string
	play func(*script)
}{
	// Bob takes Alice's token while she is logged out. She logs in again within the
	// millisecond of her first registration, so only isActive of her row has changed.
	{"Reactivated", func(s *script) {
		server := s.server(3)
		s.alone(store.OpRegister, server, 0, 0, 0)
		s.alone(store.OpDeactivate, server, 0, 0, 0)
		bob := s.op(store.OpRegister, server, 1, 0, 0)
		s.must(s.begin(bob))
		for range 4 { // refresh, query, whose claim, what she has
			s.must(s.proceed(bob, delivered))
		}
		s.alone(store.OpRegister, server, 0, 0, 0)
		s.finish(bob)
		if !bob.result.Moved() {
			s.Error("Bob was not told that the token moved")
		}
	}},
	// Bob has read that Alice left the claim on the token behind. Before he takes it, she
	// does, with the same owner and expiry.
	{"RenewedWithinTheSecond", func(s *script) {
		server := s.server(3)
		alice, bob := s.op(store.OpRegister, server, 0, 0, 0), s.op(store.OpRegister, server, 1, 0, 0)
		s.must(s.lane.put([]attributes{s.claimLeftBehind(alice.req.Key, alice.req.Token, server)}))
		s.observe(s.lane.scan())
		s.must(s.begin(bob))
		for range 4 { // refresh, query, whose claim, that she has nothing
			s.must(s.proceed(bob, delivered))
		}
		s.must(s.begin(alice))
		s.finish(alice)
		s.finish(bob)
		if !bob.result.Moved() {
			s.Error("Bob was not told that the token moved")
		}
	}},
	// Two rows of a user had one claim, and both lose their token at once.
	{"OneClaimOfTwoRows", func(s *script) {
		server := s.lost()
		s.alone(store.OpRegister, s.server(1), 0, 0, 2)
		s.alone(store.OpRegister, server, 0, 1, 0)
	}},
	// One refusal shows both that the token has a holder and that another row holds the
	// claim of the row's old token.
	{"TwoReasonsAtOnce", func(s *script) {
		server := s.lost()
		s.alone(store.OpRegister, server, 1, 0, 2)
		s.alone(store.OpRegister, server, 0, 0, 2)
	}},
	// The release by the row that has lost the claim is refused.
	{"ErasedWithTheLaterOne", func(s *script) {
		s.alone(store.OpDeleteUser, s.lost(), 0, 0, 0)
		if len(s.state.items) > 0 {
			s.Errorf("left: %v", s.state.items)
		}
	}},
	// A row is erased whose claim another row holds now.
	{"ErasedAfterTheClaimWasLost", func(s *script) {
		server := s.lost()
		s.alone(store.OpRegister, server, 1, 0, 0)
		s.alone(store.OpDelete, server, 0, 0, 0)
	}},
}

func TestScripts(t *testing.T) {
	for _, tt := range scripts {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{t, &schedule{
				lane: newLane(t), rng: rand.New(rand.NewPCG(1, 0)), now: begin,
				users: 2, devices: 3, identities: identities,
			}}
			s.observe(newTable(nil))
			tt.play(s)
			s.must(s.settle())
		})
	}
}

func (s *script) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%v\ntrace:\n%s", err, s.story())
	}
}

func (s *script) server(limit int) *server {
	s.Helper()
	server, err := s.newServer(fmt.Sprint("limit ", limit), store.Policy{TTL: 90 * day, MaxDevices: limit}, 0)
	s.must(err)
	s.servers = append(s.servers, server)
	return server
}

func (s *script) op(method store.Operation, on *server, user, device, token int) *operation {
	return &operation{method: method, server: on, req: tokens.Request{
		Key:      tokens.Key{UserID: tokens.UserID(fmt.Sprintf("user%d", user)), DeviceID: tokens.DeviceID(fmt.Sprintf("device%d", device))},
		Token:    tokens.MustParseToken("ExponentPushToken[" + identities[token] + "]"),
		Platform: tokens.IOS,
	}}
}

func (s *script) finish(op *operation) {
	s.Helper()
	for !op.done {
		s.must(s.proceed(op, delivered))
	}
	s.must(op.err)
}

func (s *script) alone(method store.Operation, on *server, user, device, token int) {
	s.Helper()
	op := s.op(method, on, user, device, token)
	s.must(s.begin(op))
	s.finish(op)
}

// lost makes the row of user0's device0 expire and TTL remove its claim, so that device1
// takes the token while the row is still stored.
func (s *script) lost() *server {
	s.Helper()
	server := s.server(3)
	s.alone(store.OpRegister, server, 0, 0, 0)
	s.now = s.now.Add(60 * day)
	s.alone(store.OpRegister, server, 0, 1, 1)
	s.now = s.now.Add(61 * day)
	for _, i := range s.state.items {
		if isClaim(i) && !s.now.Before(seconds(i, "expiresAt")) {
			s.must(s.remove([]attributes{i}))
		}
	}
	s.alone(store.OpRegister, server, 0, 1, 0)
	return server
}
