package interleave

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An operation is one call of a method, in a goroutine that runs only while the schedule
// waits for it.
type operation struct {
	method store.Operation
	req    tokens.Request // other methods use some fields
	sentAt time.Time      // of Invalidate
	server *server
	turn   chan fate
	chance int // for choices of the fate

	// Its progress.
	began   time.Time // on the server's clock
	call    string    // the SDK's call at the gate
	calls   int
	applied bool     // its last request has written
	late    *message // is to be delivered later
	done    bool
	result  store.Result
	reg     tokens.Registration
	regs    []tokens.Registration
	err     error

	// The schedule's record of it.
	name      string
	disturbed bool     // a request was not delivered exactly once
	twice     bool     // a request was delivered twice
	alone     bool     // nothing else has happened since it began
	heldUntil int      // the step
	seen      []*table // each state of the table since it began
	looked    []*table // those in which one of its requests was executed
}

// A server is a store with its own clock.
type server struct {
	*dynamostore.Store
	name   string
	policy store.Policy
	skew   time.Duration
}

func (op *operation) run(ctx context.Context) {
	s, key := op.server, op.req.Key
	switch op.method {
	case store.OpRegister:
		op.result, op.err = s.Register(ctx, op.req)
	case store.OpGet:
		op.reg, op.err = s.Get(ctx, key)
	case store.OpList:
		op.regs, op.err = s.List(ctx, key.UserID)
	case store.OpHolder:
		op.reg, op.err = s.Holder(ctx, op.req.Token.Hash())
	case store.OpDeactivate:
		op.err = s.Deactivate(ctx, key)
	case store.OpInvalidate:
		op.err = s.Invalidate(ctx, key, op.req.Token.Hash(), op.sentAt)
	case store.OpDelete:
		op.err = s.Delete(ctx, key)
	case store.OpDeleteUser:
		op.err = s.DeleteUser(ctx, key.UserID)
	}
	op.done = true
}

// mostCalls is the maximum number of calls of the operation beside any others.
func (op *operation) mostCalls() int {
	switch op.method {
	case store.OpRegister:
		return 1 + 2*maxAttempts // the refresh, the query, the transactions
	case store.OpDelete, store.OpDeleteUser:
		return 1 + maxAttempts
	case store.OpHolder:
		return 3 + 2*maxAttempts
	case store.OpDeactivate, store.OpInvalidate:
		return maxAttempts
	default:
		return 1
	}
}

func (op *operation) reads() bool {
	return op.method == store.OpGet || op.method == store.OpList || op.method == store.OpHolder
}

func (op *operation) String() string {
	return fmt.Sprintf("%s (%s of %s with %s on server %s)", op.name, op.method, keyName(op.req.Key), op.req.Token.Reveal(), op.server.name)
}

// identities are the texts inside the brackets. The first two have a third spelling,
// without brackets.
var identities = []string{
	"aaaaaaaa-0000-4000-8000-00000000000a",
	"bbbbbbbb-0000-4000-8000-00000000000b",
	"cccccccc",
}

func spell(rng *rand.Rand, identity string) string {
	all := []string{"ExponentPushToken[" + identity + "]", "ExpoPushToken[" + identity + "]"}
	if len(identity) == 36 {
		all = append(all, identity)
	}
	return all[rng.IntN(len(all))]
}

func (s *schedule) randomKey() tokens.Key {
	return tokens.Key{
		UserID:   tokens.UserID(fmt.Sprintf("user%d", s.rng.IntN(s.users))),
		DeviceID: tokens.DeviceID(fmt.Sprintf("device%d", s.rng.IntN(s.devices))),
	}
}

// randomToken prefers the first token, so that operations compete for it.
func (s *schedule) randomToken() string {
	return spell(s.rng, s.identities[max(0, s.rng.IntN(len(s.identities)+2)-2)])
}

func keyName(k tokens.Key) string { return string(k.UserID + "/" + tokens.UserID(k.DeviceID)) }

// others are the methods that a schedule may omit, with their number for ten of Register.
var others = map[store.Operation]int{
	store.OpDeactivate: 2, store.OpInvalidate: 2, store.OpDelete: 2, store.OpDeleteUser: 1,
	store.OpHolder: 2, store.OpGet: 1, store.OpList: 1,
}

// chooseMethods omits some methods, because a schedule of few methods has more conflicts
// between them.
func (s *schedule) chooseMethods() {
	s.methods = slices.Repeat([]store.Operation{store.OpRegister}, 10)
	for _, m := range slices.Sorted(maps.Keys(others)) {
		if s.rng.IntN(2) == 0 {
			s.methods = append(s.methods, slices.Repeat([]store.Operation{m}, others[m])...)
		}
	}
}

func (s *schedule) randomOperation() *operation {
	op := &operation{
		method: s.methods[s.rng.IntN(len(s.methods))],
		req: tokens.Request{
			Key:      s.randomKey(),
			Token:    tokens.MustParseToken(s.randomToken()),
			Platform: []tokens.Platform{tokens.IOS, tokens.Android}[s.rng.IntN(2)],
		},
		server: s.servers[s.rng.IntN(len(s.servers))],
	}
	if s.rng.IntN(3) == 0 {
		op.req.ProjectID = "@acme/app"
	}
	if len(s.underWay) > 0 && s.rng.IntN(2) == 0 {
		s.cross(op, s.underWay[s.rng.IntN(len(s.underWay))])
	}
	// The message was sent around the earliest time that counts.
	since := []time.Duration{-store.ClockSkew, 0, store.ClockSkew, time.Hour}[s.rng.IntN(4)]
	op.sentAt = s.now.Add(since + time.Duration(s.rng.IntN(3)-1)*time.Millisecond)
	return op
}

// cross makes op conflict with another operation: it uses the registration that holds
// the other's token, or the other's key.
func (s *schedule) cross(op, other *operation) {
	claim := s.state.claims[claimKey(other.req.Token)]
	if s.rng.IntN(3) == 0 || claim == nil {
		op.req.Key = other.req.Key
		return
	}
	op.req.Key = ownerOf(claim)
	op.req.Token = tokens.MustParseToken(spell(s.rng, leak.Identity(other.req.Token)))
}
