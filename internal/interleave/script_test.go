package interleave

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A script is a schedule written by hand, for cases that a random one reaches
// too seldom. The checks are the same.
type script struct {
	testing.TB
	*schedule
}

var scripts = []struct {
	name string
	play func(*script)
}{
	// Bob takes Alice's token while she is logged out, and she logs in again within
	// the millisecond in which she registered first: of her row, only isActive
	// has changed.
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
	// Bob has learned that the claim on the token was left behind by Alice. Before
	// he takes it, she does: with the same owner, and the same expiry.
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
				lane: newLane(t), rng: rand.New(rand.NewPCG(1, 0)), now: begin, counts: make(map[string]int),
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
		s.Fatalf("%v\nwhat happened:\n%s", err, s.story())
	}
}

// server returns one more server.
func (s *script) server(limit int) *server {
	s.Helper()
	server, err := s.newServer(fmt.Sprint("limit ", limit), store.Policy{TTL: 90 * day, MaxDevices: limit}, 0)
	s.must(err)
	s.servers = append(s.servers, server)
	return server
}

// op is an operation of a user's device, with a token by its index.
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

// lost lets the row of user0's device0 expire, and its claim go, so that device1
// takes the token and the row is still there.
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
