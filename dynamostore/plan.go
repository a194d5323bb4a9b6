package dynamostore

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/devicetokens/devicetokens/tokens"
)

// The writes of a taking. No transaction may name an item twice, so each of them
// is careful about what another one already does.

// takeClaim gives the claim to the key, if it is as observed: free, or of that
// version, whoever has it.
func (t *taking) takeClaim(version string) write {
	claim := t.id.item(t.req.Key, version, t.op.claimExpiry(t.now))
	return t.op.put(claim, t.claim.unchanged(), func(i item) {
		t.claim = newClaim(i)
		t.claimRefused = true
		t.previous, t.previousKnown = row{}, false
	})
}

const (
	paramRegisteredAt   param = "registeredAt"
	paramClaimVersion   param = "claimVersion"
	paramClaimExpiresAt param = "claimExpiresAt"
)

// writeOwn writes the registration. It is an update, so that attributes that are
// not ours survive. RegisteredAt comes from what was observed: a transaction
// returns no values, and if_not_exists would keep that of an expired row.
func (t *taking) writeOwn(version string) write {
	reg := t.op.registration(t.req, t.now, t.now)
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
		arg{paramClaimExpiresAt, secondsValue(t.op.claimExpiry(t.now))})
	return t.op.set(keyOf(t.req.Key), update, unchanged(t.own), args, func(i item) { t.own = newRow(i) })
}

// removesPrevious reports whether this plan removes the registration that the
// claim names.
func (t *taking) removesPrevious() bool {
	return t.claim.owner != t.req.Key && t.claim.owner.Validate() == nil &&
		(!t.previousKnown || t.previous.holds(t.spelled))
}

// removePrevious removes the previous holder, if it still holds the token,
// expired or not. As long as it is unknown, it is taken for what it nearly always
// is, so that a phone that changes hands costs one transaction less.
func (t *taking) removePrevious() (write, bool) {
	if !t.removesPrevious() {
		return write{}, false
	}
	holder := t.claim.owner
	somebodyElse := holder.UserID != t.req.Key.UserID
	var g guard
	moved := somebodyElse
	switch {
	case t.previousKnown:
		g = unchanged(t.previous).and(as(t.previous.item, attrIsActive))
		moved = somebodyElse && t.previous.live(t.now) && t.previous.reg.Active()
	case somebodyElse:
		g = heldLiveAndActive(t)
	default:
		g = held(t.spelled)
	}
	if moved {
		t.result.MovedFrom = holder
	}
	return t.op.remove(keyOf(holder), g, func(i item) {
		r := newRow(i)
		t.observed(holder, r)
		if !t.claimRefused {
			t.previous, t.previousKnown = r, true
		}
	}), true
}

func held(spelled []string) guard {
	args := spellingArgs(spelled)
	return guard{condition: hasSpelling(), args: args[:]}
}

func heldLiveAndActive(t *taking) guard {
	return held(t.spelled).and(guard{
		condition: notInactive(hole(paramInactive)).
			And(attribute(attrExpiresAt).AttributeNotExists().
				Or(attribute(attrExpiresAt).GreaterThan(hole(paramNow)))),
		args: []arg{{paramInactive, boolValue(false)}, {paramNow, secondsValue(t.now)}},
	})
}

func (t *taking) removeDevice(r row) write {
	key := r.key()
	return t.op.remove(keyOf(key), unchanged(r), func(i item) { t.observed(key, newRow(i)) })
}

// releases frees the claims of rows that this plan removes or overwrites. It is
// best effort: a claim that turns out to be somebody else's is left alone, and
// one that is left behind goes when it expires.
func (t *taking) releases(rows []row) []write {
	named := map[claimID]bool{t.id: true}
	var writes []write
	for _, r := range rows {
		id, version := r.claim(), r.text(attrClaimVersion)
		if id == "" || named[id] || t.theirs[version] {
			continue
		}
		named[id] = true
		writes = append(writes, t.op.release(id, r.key(), func(item) { t.theirs[version] = true }))
	}
	return writes
}

const (
	paramOwnerUserID   param = "ownerUserId"
	paramOwnerDeviceID param = "ownerDeviceId"
)

// release removes a claim, if it is there and the owner's.
func (op *operation) release(id claimID, owner tokens.Key, refused func(item)) write {
	return op.remove(id.key(), guard{
		condition: notExists().Or(expression.And(
			attribute(attrOwnerUserID).Equal(hole(paramOwnerUserID)),
			attribute(attrOwnerDeviceID).Equal(hole(paramOwnerDeviceID)))),
		args: []arg{
			{paramOwnerUserID, stringValue(string(owner.UserID))},
			{paramOwnerDeviceID, stringValue(string(owner.DeviceID))},
		},
	}, refused)
}
