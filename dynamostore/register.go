package dynamostore

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Register implements [store.Store]. A refresh is one conditional UpdateItem, one
// write unit. What the refresh refuses is done in a transaction: two calls if
// the token changed, three on a new device or if the token moves here, four if
// both; and one more if it moves from another user's registration that is logged
// out or expired.
//
// If the SDK repeats a write after a lost answer, a refresh is applied again,
// after whatever came between. A transaction is not: the SDK repeats it under one
// idempotency token, which DynamoDB remembers for ten minutes.
func (s *Store) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	op := s.begin(OpRegister)
	res, err := op.register(ctx, req)
	outcome := Outcome(res.Outcome)
	if res.Moved() {
		outcome = Moved
	}
	op.end(outcome, err)
	return res, err
}

func (op *operation) register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := ready(ctx, req.Validate()); err != nil {
		return store.Result{}, err
	}
	now := op.now()
	own, refused, err := op.refresh(ctx, req, now)
	if err != nil {
		return store.Result{}, err
	}
	if !refused {
		if res, ok := op.refreshed(req, now, own); ok {
			return res, nil
		}
	}
	t := newTaking(op, req, now, own)
	if err := op.commit(ctx, func() ([]write, error) { return t.plan(ctx) }); err != nil {
		return store.Result{}, err
	}
	if own := t.own; own.err != nil {
		op.corrupt(req.Key)
	}
	return t.result, nil
}

// A taking is a Register under way that takes a token: what it has observed, from
// which it plans a transaction that is refused unless all is still so, and learns
// from the refusal.
//
// What it may not do is to mix observations. Whether the previous holder still
// has the token is known only from a look that is not older than the look at the
// claim: it could have got the token between the two. So whenever the claim turns
// out to be another than was thought, the previous holder is unknown again.
type taking struct {
	op      *operation
	req     tokens.Request
	now     time.Time
	spelled []string
	id      claimID // of the token

	own   row   // under the key
	claim claim // on the token; at first a guess

	previous      row // of claim.owner, if previousKnown
	previousKnown bool
	claimRefused  bool // in this attempt

	devices map[tokens.DeviceID]row // the user's others; nil until they are needed
	theirs  map[string]bool         // versions of claims that turned out to be others' by now

	result store.Result // of the last plan
}

func newTaking(op *operation, req tokens.Request, now time.Time, own row) *taking {
	t := &taking{
		op: op, req: req, now: now,
		spelled: spellings(req.Token), id: claimOf(req.Token),
		own: own, theirs: make(map[string]bool),
	}
	// A registration that has the token says which claim it holds. Otherwise the
	// token is most likely new, and its claim free.
	if own.holds(t.spelled) {
		t.claim = claimHeldBy(own)
	}
	return t
}

// plan returns the writes that give the token to the key if all is as observed.
func (t *taking) plan(ctx context.Context) ([]write, error) {
	if !t.own.live(t.now) && t.devices == nil {
		if err := t.observeDevices(ctx); err != nil {
			return nil, err
		}
	}
	t.claimRefused = false
	t.result = store.Result{Outcome: t.outcome()}
	version := newVersion()
	writes := []write{t.takeClaim(version), t.writeOwn(version)}
	if w, ok := t.removePrevious(); ok {
		writes = append(writes, w)
	}
	gone := t.makeRoom()
	for _, r := range gone {
		writes = append(writes, t.removeDevice(r))
	}
	return append(writes, t.releases(append(gone, t.own))...), nil
}

func (t *taking) outcome() store.Outcome {
	switch {
	case !t.own.live(t.now):
		return store.Created
	case t.own.holds(t.spelled):
		return store.Refreshed
	default:
		return store.Replaced
	}
}

func (t *taking) observeDevices(ctx context.Context) error {
	t.devices = make(map[tokens.DeviceID]row)
	return t.op.rows(ctx, t.req.Key.UserID, func(page []row) error {
		for _, r := range page {
			if k := r.key(); k != t.req.Key {
				t.devices[k.DeviceID] = r
			}
		}
		return nil
	})
}

// observed takes note of a row that a refusal brought to light.
func (t *taking) observed(k tokens.Key, r row) {
	switch {
	case k.UserID != t.req.Key.UserID || t.devices == nil:
	case r.exists():
		t.devices[k.DeviceID] = r
	default:
		delete(t.devices, k.DeviceID)
	}
}
