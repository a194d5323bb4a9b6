package interleave

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// checkChanges returns an error if a write changed rows of other operations.
func (s *schedule) checkChanges(op *operation, before, after *table) error {
	removed := make(map[tokens.Key]bool)
	for _, k := range changed(before.rows, after.rows) {
		old, now := before.rows[k], after.rows[k]
		if now == nil {
			removed[k] = true
		}
		if !op.mayChange(k, old, now, before) {
			return fmt.Errorf("%v changed %s from %s to %s", op, keyName(k), describe(old), describe(now))
		}
		if old["note"] != nil && now != nil && !reflect.DeepEqual(old["note"], now["note"]) {
			return fmt.Errorf("%v lost an attribute of %s that is not ours", op, keyName(k))
		}
	}
	for _, id := range changed(before.claims, after.claims) {
		old, now := before.claims[id], after.claims[id]
		switch {
		case op.method == store.OpRegister && id == claimKey(op.req.Token) && now != nil && ownerOf(now) == op.req.Key:
		case now == nil && (removed[ownerOf(old)] || op.method == store.OpRegister && ownerOf(old) == op.req.Key):
		default:
			return fmt.Errorf("%v changed a claim of %s", op, keyName(ownerOf(old)))
		}
	}
	return nil
}

func (op *operation) mayChange(k tokens.Key, old, now attributes, before *table) bool {
	req := op.req
	switch op.method {
	case store.OpRegister:
		if k == req.Key {
			return now != nil
		}
		return now == nil && (k.UserID == req.Key.UserID ||
			holdsToken(old, req.Token) && ownerOf(before.claims[claimKey(req.Token)]) == k)
	case store.OpDeactivate:
		return k == req.Key && onlyMarked(old, now)
	case store.OpInvalidate:
		return k == req.Key && onlyMarked(old, now) && holdsToken(old, req.Token) && op.sentLateEnough(old)
	case store.OpDelete:
		return k == req.Key && now == nil
	case store.OpDeleteUser:
		return k.UserID == req.Key.UserID && now == nil
	default:
		return false
	}
}

// sentLateEnough reports whether the row was registered long enough before the
// message was sent.
func (op *operation) sentLateEnough(row attributes) bool {
	return text(row, "updatedAt") <= timeText(op.sentAt.Add(-store.ClockSkew))
}

func onlyMarked(old, now attributes) bool {
	if old == nil || now == nil || !active(old) || active(now) {
		return false
	}
	for name, v := range now {
		if name != "isActive" && name != "inactiveReason" && !reflect.DeepEqual(v, old[name]) {
			return false
		}
	}
	return true
}

func (op *operation) answer() string {
	switch {
	case op.err != nil:
		return op.err.Error()
	case op.method == store.OpRegister:
		return fmt.Sprintf("%s, moved from %q, evicted %v", op.result.Outcome, keyName(op.result.MovedFrom), op.result.Evicted)
	default:
		return "ok"
	}
}

func isAnswer(err error) bool {
	var corrupt *store.CorruptError
	return errors.Is(err, store.ErrNotFound) || errors.As(err, &corrupt)
}

// checkAnswer compares the result of an operation that has just ended with the table,
// which no other operation has changed since its last request.
func (s *schedule) checkAnswer(op *operation, before *table) error {
	var wrong string
	switch {
	case op.reads() && (op.err == nil || isAnswer(op.err)):
		wrong = s.checkRead(op)
	case errors.Is(op.err, store.ErrTryAgain):
		if !op.disturbed && (op.alone || op.calls < maxAttempts) {
			wrong = "it had no reason to"
		}
	case op.err != nil:
		wrong = "no such error was expected"
	case op.twice:
		// Its effect was earlier.
	case op.method == store.OpRegister:
		wrong = cmp.Or(checkRegistered(op, s.state), checkResult(op, before, s.slowest()), checkLimit(op, before, s.state), checkCalls(op, before))
	default:
		wrong = s.checkRemoval(op)
	}
	if wrong == "" && op.alone && op.err == nil {
		wrong = checkReleases(op, before, s.state)
	}
	if wrong != "" {
		return fmt.Errorf("%v answered %q: %s", op, op.answer(), wrong)
	}
	return nil
}

func (s *schedule) checkRemoval(op *operation) string {
	row := s.state.rows[op.req.Key]
	switch op.method {
	case store.OpDeactivate:
		if row != nil && active(row) {
			return "it is active"
		}
	case store.OpInvalidate:
		// A row that cannot be decoded has no token to compare.
		if row != nil && readable(row) && active(row) && holdsToken(row, op.req.Token) && op.sentLateEnough(row) {
			return "it is active"
		}
	case store.OpDelete:
		if row != nil {
			return "it is there"
		}
	case store.OpDeleteUser:
		for k := range s.state.rows {
			// Only a row that was registered meanwhile may survive.
			if k.UserID == op.req.Key.UserID && op.alone {
				return keyName(k) + " is there"
			}
		}
	}
	return ""
}

// checkReleases finds a claim of a row that the last write of op removed or gave another
// token. Such a claim would keep a user's id until it expires.
func checkReleases(op *operation, before, after *table) string {
	for id, claim := range after.claims {
		k := ownerOf(claim)
		row := before.rows[k]
		if row["claimVersion"] != nil && reflect.DeepEqual(row["claimVersion"], claim["version"]) &&
			!reflect.DeepEqual(row["claimVersion"], after.rows[k]["claimVersion"]) {
			return fmt.Sprintf("the claim %s of %s is still there", id, keyName(k))
		}
	}
	return ""
}

func (s *schedule) checkRead(op *operation) string {
	switch op.method {
	case store.OpGet:
		return s.checkGet(op)
	case store.OpList:
		return s.checkList(op)
	default:
		return checkHolder(op, s.now.Add(op.server.skew))
	}
}

func (s *schedule) checkGet(op *operation) string {
	row := s.state.rows[op.req.Key]
	now := s.now.Add(op.server.skew) // of its end
	switch {
	case op.err == nil && describeRegistration(op.reg) != describe(row):
		return "it is not " + describeRegistration(op.reg)
	case errors.Is(op.err, store.ErrNotFound) && alive(row, now):
		return "it is there"
	case !errors.Is(op.err, store.ErrNotFound) && op.err != nil && readable(row):
		return "it can be decoded"
	case op.err == nil && !alive(row, now):
		return "it is expired"
	}
	return ""
}

func (s *schedule) checkList(op *operation) string {
	var want []string
	for _, i := range s.state.items {
		if k := rowKey(i); k.UserID == op.req.Key.UserID && alive(i, op.began) && active(i) {
			want = append(want, keyName(k)+": "+describe(i))
		}
	}
	var got []string
	for _, r := range op.regs {
		got = append(got, keyName(r.Key)+": "+describeRegistration(r))
	}
	if !slices.Equal(want, got) {
		return fmt.Sprintf("got %q, want %q", got, want)
	}
	return ""
}

// checkHolder expects a result that was correct at some time during Holder. A row that
// is live at the start may be expired at the end.
func checkHolder(op *operation, ended time.Time) string {
	for _, t := range op.seen {
		if op.err != nil {
			if t.holder(op.req.Token, op.began).IsZero() || t.holder(op.req.Token, ended).IsZero() {
				return ""
			}
			continue
		}
		row := t.rows[op.reg.Key]
		if describe(row) == describeRegistration(op.reg) && holdsToken(row, op.req.Token) && alive(row, op.began) {
			return ""
		}
	}
	return "that was not so at any time since it began"
}
