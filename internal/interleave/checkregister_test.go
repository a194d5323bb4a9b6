package interleave

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// checkRegistered returns the difference between the registration, the request and
// the result, if any.
func checkRegistered(op *operation, after *table) string {
	req, got := op.req, op.result.Registration
	now := op.began.UTC().Truncate(time.Millisecond)
	want := got // RegisteredAt
	want.Key, want.Token, want.Platform, want.ProjectID, want.Status = req.Key, req.Token, req.Platform, req.ProjectID, tokens.Active
	want.UpdatedAt, want.ExpiresAt = now, op.server.policy.Expiry(now)
	row := after.rows[req.Key]
	for _, has := range []string{describeRegistration(got), describe(row)} {
		if has != describeRegistration(want) || got.Key != req.Key {
			return "there is " + has
		}
	}
	if row["inactiveReason"] != nil {
		return "it has a reason to be inactive"
	}
	if op.result.Outcome == store.Created {
		for k, other := range after.rows {
			if k.UserID == req.Key.UserID && k != req.Key && other["claimVersion"] == nil && holdsToken(other, req.Token) {
				return keyName(k) + " has the token too"
			}
		}
	}
	return ""
}

func checkResult(op *operation, before *table, slowest time.Time) string {
	req, got, now := op.req, op.result, op.began
	own := before.rows[req.Key]
	want := store.Replaced
	registeredAt := text(own, "registeredAt")
	switch {
	case !alive(own, now):
		want, registeredAt = store.Created, ""
	case holdsToken(own, req.Token):
		want = store.Refreshed
	}
	if registeredAt == "" {
		registeredAt = timeText(now)
	}
	if got.Outcome != want || timeText(got.Registration.RegisteredAt) != registeredAt {
		return fmt.Sprintf("want %s, registered %s, not %s", want, registeredAt, timeText(got.Registration.RegisteredAt))
	}
	if got.Registration.Expired(slowest) {
		// The call took longer than its TTL. By its own clock its row may still be
		// live, and so may a row that took the token since. For all other servers
		// both are expired.
		return ""
	}
	var from tokens.Key
	if k := ownerOf(before.claims[claimKey(req.Token)]); k.UserID != req.Key.UserID {
		row := before.rows[k]
		switch {
		case !holdsToken(row, req.Token):
		case !readable(row):
			return "" // a row that cannot be decoded counts as live, or not
		case alive(row, now) && active(row):
			from = k
		}
	}
	if got.MovedFrom != from {
		return fmt.Sprintf("want it moved from %q", keyName(from))
	}
	return ""
}

// checkCalls limits the calls of a Register without interference.
func checkCalls(op *operation, before *table) string {
	req, now, own := op.req, op.began, before.rows[op.req.Key]
	claim := before.claims[claimKey(req.Token)]
	k := ownerOf(claim)
	previous := before.rows[k]
	// A row that has the token records its claim. Otherwise the claim is assumed free.
	guessed := claim == nil
	if holdsToken(own, req.Token) && own["claimVersion"] != nil {
		guessed = text(own, "claimVersion") == text(claim, "version")
	}
	most := 2 // the refused refresh, and a transaction
	switch {
	case !op.alone:
		return ""
	case alive(own, now) && holdsToken(own, req.Token) && !seconds(own, "claimExpiresAt").Before(op.server.policy.Expiry(now).Add(day)):
		most = 1
	case guessed:
	case claim == nil, k == req.Key,
		holdsToken(previous, req.Token) && (k.UserID == req.Key.UserID || alive(previous, now) && active(previous)):
		most = 3 // the guess of the claim is wrong
	default:
		most = 4 // and that of the registration which it names
	}
	if most == 2 && before.lostClaim(req.Key) && !holdsToken(own, req.Token) {
		most++ // the release; any other refusal shows it at once
	}
	if !alive(own, now) {
		most++ // the query
	}
	if op.calls > most {
		return fmt.Sprintf("it took %d calls, and not %d", op.calls, most)
	}
	return ""
}

// checkLimit returns the error in the set of evicted registrations, if any.
func checkLimit(op *operation, before, after *table) string {
	for _, k := range op.result.Evicted {
		if before.rows[k] == nil || after.rows[k] != nil || k == op.req.Key || k.UserID != op.req.Key.UserID {
			return keyName(k) + " was not evicted"
		}
		if !op.knew(k, before) {
			return keyName(k) + " has changed since it was chosen to go"
		}
	}
	if !op.alone {
		return ""
	}
	var want []tokens.Key
	if op.result.Outcome == store.Created {
		want = toEvict(op, before)
	}
	if !slices.Equal(want, op.result.Evicted) {
		return fmt.Sprintf("want %v evicted", want)
	}
	return ""
}

// knew reports whether the row was the same when the operation sent an earlier request.
func (op *operation) knew(k tokens.Key, now *table) bool {
	return slices.ContainsFunc(op.looked[:len(op.looked)-1], func(t *table) bool {
		for _, name := range []string{"expoPushToken", "registeredAt", "updatedAt", "expiresAt"} {
			if !reflect.DeepEqual(t.rows[k][name], now.rows[k][name]) {
				return false
			}
		}
		return true
	})
}

func toEvict(op *operation, before *table) []tokens.Key {
	var others []tokens.Key
	for k, row := range before.rows {
		if k.UserID == op.req.Key.UserID && k != op.req.Key && alive(row, op.began) && !holdsToken(row, op.req.Token) {
			others = append(others, k)
		}
	}
	excess := len(others) + 1 - op.server.policy.MaxDevices
	if excess <= 0 {
		return nil
	}
	slices.SortFunc(others, func(a, b tokens.Key) int {
		x, y := before.rows[a], before.rows[b]
		if active(x) != active(y) {
			return map[bool]int{true: 1, false: -1}[active(x)]
		}
		return cmp.Or(cmp.Compare(text(x, "updatedAt"), text(y, "updatedAt")), cmp.Compare(a.DeviceID, b.DeviceID))
	})
	return others[:excess]
}
