package dynamostore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Register implements [store.Store]. A refresh is one conditional UpdateItem and takes one
// write unit. If its condition does not hold, Register also makes a transaction. This is two
// calls if the token changed, three for a new device or if the token moves to this device,
// and four for both. It is one more if the token moves from another user's registration that
// is logged out or expired.
//
// Register finds the holder of a token by its claim. A row of the earlier service has no claim
// until [Upgrade] has processed it. Until then Register does not take the token from it, and
// two users have the token.
//
// If the SDK retries a refresh after a lost response, the refresh is applied again, over any
// change in between. A transaction is applied once, because the SDK retries it with the same
// idempotency token, which DynamoDB keeps for ten minutes.
func (s *Store) Register(ctx context.Context, req tokens.Request) (result store.Result, err error) {
	op := s.beginWrite(store.OpRegister)
	defer func() {
		op.event.Moved, op.event.Evicted = result.Moved(), len(result.Evicted)
		op.end(result.Outcome, err)
	}()
	if err := cmp.Or(req.Validate(), ctx.Err()); err != nil {
		return store.Result{}, err
	}
	now := s.now()
	own, refused, err := op.refresh(ctx, req, now)
	if err != nil {
		return store.Result{}, err
	}
	if !refused && own.err == nil {
		return s.refreshed(req, now, own), nil
	}
	undecodable := own.err != nil
	if !refused {
		// The refresh overwrote a row that cannot be decoded, which the device
		// limit does not count. The transfer applies the limit.
		if own, err = op.getRow(ctx, req.Key); err != nil {
			return store.Result{}, err
		}
	}
	t := newTransfer(op, req, now, own)
	t.overUndecodable = !refused
	if err := op.commit(ctx, func() ([]write, error) { return t.plan(ctx) }); err != nil {
		return store.Result{}, err
	}
	if undecodable || t.own.err != nil {
		op.noteCorrupt(req.Key)
	}
	return t.result, nil
}

func (s *Store) registration(req tokens.Request, now, registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key:          req.Key,
		Token:        req.Token,
		Platform:     req.Platform,
		ProjectID:    req.ProjectID,
		Status:       tokens.Active,
		RegisteredAt: registeredAt,
		UpdatedAt:    now,
		ExpiresAt:    s.policy.Expiry(now),
	}
}

// A transfer is a Register that is not a refresh. It plans one transaction from rows that it
// has read, on the condition that they did not change since. If a condition fails, DynamoDB
// returns the changed item, and the next plan uses it.
//
// The previous holder must be read after the claim, because a row that was read before it may
// have taken the token in between. If the claim changed, the previous holder is unknown again.
type transfer struct {
	op      *operation
	req     tokens.Request
	now     time.Time
	spelled []string
	id      claimID // of the token

	own row // under the key
	// overUndecodable means that the refresh overwrote a row that cannot be decoded. Then
	// own is live, but counts as a new device.
	overUndecodable bool

	claim claim // on the token; assumed at first

	previous      row // of claim.owner, if previousKnown
	previousKnown bool
	claimRefused  bool // in this attempt

	devices map[tokens.DeviceID]row // the user's other rows; nil until they are needed
	release claimRelease

	result store.Result // of the last plan
}

func newTransfer(op *operation, req tokens.Request, now time.Time, own row) *transfer {
	t := &transfer{
		op: op, req: req, now: now,
		spelled: req.Token.Spellings(), id: claimOf(req.Token.Hash()),
		own: own,
	}
	// Otherwise the token is probably new and has no claim.
	if own.holds(t.spelled) {
		t.claim = claimRecordedBy(own)
	}
	return t
}

// plan moves the token to the key. A transaction must not contain an item twice, so each kind
// of write omits the items of the others.
func (t *transfer) plan(ctx context.Context) ([]write, error) {
	if t.creates() && t.devices == nil {
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
	removed := t.makeRoom()
	for _, r := range removed {
		writes = append(writes, t.removeDevice(r))
	}
	return append(writes, t.release.writes(t.op, append(removed, t.own), t.id)...), nil
}

func (t *transfer) creates() bool { return t.overUndecodable || !t.own.live(t.now) }

func (t *transfer) outcome() store.Outcome {
	switch {
	case t.creates():
		return store.Created
	case t.own.holds(t.spelled):
		return store.Refreshed
	default:
		return store.Replaced
	}
}

func (t *transfer) observeDevices(ctx context.Context) error {
	t.devices = make(map[tokens.DeviceID]row)
	return t.op.rowsOf(ctx, t.req.Key.UserID, func(page []row) error {
		for _, r := range page {
			if k := r.key(); k != t.req.Key {
				t.devices[k.DeviceID] = r
			}
		}
		return nil
	})
}

// observed stores a row that DynamoDB returned with a failed condition.
func (t *transfer) observed(k tokens.Key, r row) {
	switch {
	case k.UserID != t.req.Key.UserID || t.devices == nil:
	case r.exists():
		t.devices[k.DeviceID] = r
	default:
		delete(t.devices, k.DeviceID)
	}
}

func (t *transfer) takeClaim(version string) write {
	claim := t.id.item(t.req.Key, version, t.op.store.claimExpiry(t.now))
	return t.op.putWrite(claim, t.claim.unchanged(), func(stored item) {
		t.claim = newClaim(stored)
		t.claimRefused = true
		t.previous, t.previousKnown = row{}, false
	})
}

const (
	paramRegisteredAt   param = "registeredAt"
	paramClaimVersion   param = "claimVersion"
	paramClaimExpiresAt param = "claimExpiresAt"
)

// writeOwn writes the registration. It is an update, so that unknown attributes survive.
// RegisteredAt comes from the observed row, because a transaction returns no values, and
// if_not_exists would keep the time of an expired row.
func (t *transfer) writeOwn(version string) write {
	reg := t.op.store.registration(t.req, t.now, t.now)
	registeredAt := timeValue(t.now)
	if t.own.live(t.now) && !t.own.reg.RegisteredAt.IsZero() {
		reg.RegisteredAt = t.own.reg.RegisteredAt
		registeredAt = t.own.item[attrRegisteredAt]
	}
	t.result.Registration = reg

	update := setRegistration(reg.ProjectID != "").
		Set(attribute(attrRegisteredAt), hole(paramRegisteredAt)).
		Set(attribute(attrClaimVersion), hole(paramClaimVersion)).
		Set(attribute(attrClaimExpiresAt), hole(paramClaimExpiresAt))
	args := append(registrationArgs(t.req, t.now, reg.ExpiresAt),
		arg{paramRegisteredAt, registeredAt},
		arg{paramClaimVersion, stringValue(version)},
		arg{paramClaimExpiresAt, secondsValue(t.op.store.claimExpiry(t.now))})
	return t.op.updateWrite(keyOf(t.req.Key), update, unchanged(t.own), args, func(stored item) { t.own = newRow(stored) })
}

func (t *transfer) removesPrevious() bool {
	return t.claim.owner != t.req.Key && t.claim.owner.Validate() == nil &&
		(!t.previousKnown || t.previous.holds(t.spelled))
}

// removePrevious removes the previous holder, expired or not, if it still holds the token. An
// unknown holder is assumed to be live and active, which is nearly always true. That saves a
// transaction when a phone changes hands.
func (t *transfer) removePrevious() (write, bool) {
	if !t.removesPrevious() {
		return write{}, false
	}
	holder := t.claim.owner
	ofOtherUser := holder.UserID != t.req.Key.UserID
	var g guard
	moved := ofOtherUser
	switch {
	case t.previousKnown:
		g = unchanged(t.previous).and(attributesEqual(t.previous.item, attrIsActive))
		moved = ofOtherUser && t.previous.live(t.now) && t.previous.reg.Active()
	case ofOtherUser:
		g = holdsOneOf(t.spelled).and(liveAndActive(t.now))
	default:
		g = holdsOneOf(t.spelled)
	}
	if moved {
		t.result.MovedFrom = holder
	}
	return t.op.deleteWrite(keyOf(holder), g, func(stored item) {
		r := newRow(stored)
		t.observed(holder, r)
		if !t.claimRefused {
			t.previous, t.previousKnown = r, true
		}
	}), true
}

func liveAndActive(now time.Time) guard {
	return guard{
		condition: notInactive(hole(paramInactive)).
			And(attribute(attrExpiresAt).AttributeNotExists().
				Or(attribute(attrExpiresAt).GreaterThan(hole(paramNow)))),
		args: []arg{{paramInactive, boolValue(false)}, {paramNow, secondsValue(now)}},
	}
}

func (t *transfer) removeDevice(r row) write {
	key := r.key()
	return t.op.deleteWrite(keyOf(key), unchanged(r), func(stored item) { t.observed(key, newRow(stored)) })
}

// maxLeftovers keeps a transaction below DynamoDB's limit of 100 items. The claim, the
// registration, its old claim, the previous holder, and two items for each eviction are 84.
const maxLeftovers = 100 - 4 - 2*store.MaxEvictions

// makeRoom returns the user's other rows that a new device removes: rows of the earlier
// service that have the token without a claim, and rows above the limit, which makeRoom adds
// to the result.
func (t *transfer) makeRoom() []row {
	if !t.creates() {
		return nil
	}
	var removed, candidates []row
	for _, r := range t.devices {
		switch {
		case t.removesPrevious() && r.key() == t.claim.owner:
		case r.holds(t.spelled):
			if len(removed) < maxLeftovers {
				removed = append(removed, r)
			}
		case r.live(t.now):
			candidates = append(candidates, r)
		}
	}
	excess := len(candidates) + 1 - t.op.store.policy.MaxDevices
	if excess <= 0 {
		return removed
	}
	slices.SortFunc(candidates, func(a, b row) int { return store.EvictionOrder(a.reg, b.reg) })
	for _, r := range candidates[:min(excess, store.MaxEvictions)] {
		t.result.Evicted = append(t.result.Evicted, r.reg.Key)
		removed = append(removed, r)
	}
	return removed
}
