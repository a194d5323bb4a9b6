package storetest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A faulty store breaks the one rule of its fault, and none without a fault. It is
// slow and plain, so that each fault is a line or two beside the rule.
type faulty struct {
	fault  string
	policy store.Policy
	*faultyData
	process
}

type faultyData struct {
	arrived atomic.Int64 // writes
	mu      sync.Mutex
	begun   int64 // writes that have had mu
	writes  int
	rows    notes[tokens.Key, tokens.Registration] // by s.id
	broken  notes[tokens.Key, bool]                // rows that cannot be decoded, by s.id

	// The rest is used by faults.
	firstSeen, exact, erasedAt notes[tokens.Key, time.Time]
	lastToken, gaveUp          notes[tokens.Key, tokens.Token]
	movedFrom                  notes[tokens.Key, tokens.Key]
	counted                    notes[tokens.Key, []tokens.Registration]
	hadBefore                  notes[tokens.Hash, tokens.Key]
	indexed                    notes[tokens.Hash, tokens.Key] // left in an index
	known                      notes[tokens.Hash, tokens.Token]
	unindexed                  notes[tokens.Hash, bool]
	listed                     notes[tokens.UserID, []tokens.Registration]
	inspected                  notes[tokens.UserID, []store.Record]
	queues                     notes[tokens.UserID, []tokens.Key]
	counter                    notes[tokens.UserID, int] // of devices that are gone
	used                       notes[store.Cursor, bool]
	since                      notes[store.Cursor, time.Time]
	under                      notes[any, *reading]
	listBuf                    []tokens.Registration
	snapshot                   []place
	recordBuf                  []store.Record
	keyBuf                     []tokens.Key
	at                         tokens.Key
	first                      store.Policy // of the first handle
	busy                       *faulty      // the handle that excludes calls of its own
}

// notes is a map whose zero value can be written to.
type notes[K comparable, V any] map[K]V

func (n *notes[K, V]) set(k K, v V) {
	if *n == nil {
		*n = notes[K, V]{}
	}
	(*n)[k] = v
}

var _ store.Store = (*faulty)(nil)

func newFaulty(fault string, p store.Policy) *faulty {
	return newHandle(fault, p, &faultyData{first: p})
}

func againFaulty(_ testing.TB, s store.Store, p store.Policy) store.Store {
	f := s.(*faulty)
	return newHandle(f.fault, p, f.faultyData)
}

func newHandle(fault string, p store.Policy, data *faultyData) *faulty {
	s := &faulty{fault: fault, faultyData: data}
	if s.has("keeps the limit of the first handle", "Handles/LowerLimit") {
		p.MaxDevices = s.first.MaxDevices
	}
	if s.has("keeps the TTL of the first handle", "Handles/OtherTTL") {
		p.TTL = s.first.TTL
	}
	if p.TTL == 0 && s.has("has a default TTL of its own", "Register/New", "Expiry/Boundary") {
		p.TTL = 30 * 24 * time.Hour
	}
	if p.MaxDevices == 0 && s.has("has a default limit of its own", "Limit/Default") {
		p.MaxDevices = 10
	}
	if s.has("ignores Policy.TTL", "Expiry/Policy") {
		p.TTL = store.DefaultTTL
	}
	if s.has("ignores Policy.MaxDevices", "Limit/Exact", "Limit/One") {
		p.MaxDevices = store.DefaultMaxDevices
	}
	if s.has("ignores Policy.Now", "Register/New", "Clock/Truncated") {
		p.Now = time.Now
	}
	var err error
	if s.policy, err = p.WithDefaults(); err != nil {
		panic(err)
	}
	return s
}

// has reports whether the store has the fault, which the checks must reject. The
// tests read both from the source: see callsOfHas.
func (s *faulty) has(fault string, _ ...string) bool { return s.fault == fault }

// begin begins a call. It returns with s.mu locked if there is no error.
func (s *faulty) begin(ctx context.Context, method string, invalid error) error {
	if slices.Contains([]string{"Get", "List", "Holder", "Inspect", "Page", "Segments"}, method) {
		s.mu.Lock()
	} else {
		s.arrived.Add(1)
		for s.mu.Lock(); s.busy == s; s.mu.Lock() {
			s.mu.Unlock()
			runtime.Gosched()
		}
		s.begun++
	}
	err := s.refusal(ctx, method, invalid)
	if err != nil {
		s.mu.Unlock()
	} else if s.has(method + " reads the clock again") {
		s.policy.Now()
		s.policy.Now()
	}
	return err
}

func (s *faulty) refusal(ctx context.Context, method string, invalid error) error {
	if err := ctx.Err(); err != nil && s.has("looks at the context before the arguments", "Invalid/Register", "Invalid/Get", "Invalid/Deactivate") {
		return err
	}
	if invalid != nil && !s.has(method+" takes invalid arguments") {
		var e *tokens.InvalidError
		if errors.As(invalid, &e) && s.has("names one bad field at most", "Invalid/Register", "Invalid/Invalidate") {
			e.Fields = e.Fields[:1]
		}
		if s.has("echoes the input", "Invalid/Register", "Invalid/Get", "Invalid/List", "Invalid/Invalidate") {
			return fmt.Errorf("%s: %w", marker, invalid)
		}
		return invalid
	}
	switch err := ctx.Err(); {
	case errors.Is(err, context.Canceled) && s.has(method+" ignores a canceled context"):
	case errors.Is(err, context.DeadlineExceeded) && s.has("ignores a deadline", "Context/Register", "Context/Get", "Context/DeleteUser"):
	case err != nil && s.has("returns the cause for the context's error", "Context/Register", "Context/Get", "Context/Deactivate"):
		return context.Cause(ctx)
	default:
		return err
	}
	return nil
}

// end ends a write.
func (s *faulty) end(ctx context.Context, method string) error {
	s.writes++
	s.process = process{}
	err := ctx.Err()
	switch {
	case err != nil && s.has(method+" denies a write during which the context ended"):
		return err
	case err != nil && s.has("does not say that the context ended during a write", "Context/Register", "Context/Deactivate", "Context/DeleteUser"):
		return store.ErrTryAgain
	}
	return nil
}

// gap lets a write come between two steps of a call, if one arrives soon.
func (s *faulty) gap() {
	before, begin := s.writes, time.Now()
	for s.writes == before {
		waited := time.Since(begin)
		if waited > 20*time.Millisecond || waited > time.Millisecond && s.arrived.Load() == s.begun {
			return
		}
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
}

// id returns the key under which the row is stored.
func (s *faulty) id(k tokens.Key) tokens.Key {
	switch {
	case s.has("joins the two ids", "Keys/Distinct"):
		return tokens.Key{UserID: k.UserID + tokens.UserID(k.DeviceID)}
	case s.has("joins the two ids by an underscore", "Keys/Joined"):
		return tokens.Key{UserID: k.UserID + "_" + tokens.UserID(k.DeviceID)}
	case s.has("joins the two ids by two colons", "Keys/Joined"):
		return tokens.Key{UserID: k.UserID + "::" + tokens.UserID(k.DeviceID)}
	case s.has("ignores case in ids", "Keys/Distinct"):
		return lowered(k)
	case s.has("trims ids", "Keys/Distinct"):
		return key(tokens.UserID(strings.TrimSpace(string(k.UserID))), tokens.DeviceID(strings.TrimSpace(string(k.DeviceID))))
	case s.has("cuts ids at 255 bytes", "Keys/Users", "Keys/Devices"):
		return key(k.UserID[:min(len(k.UserID), 255)], k.DeviceID[:min(len(k.DeviceID), 255)])
	}
	return key(tokens.UserID(s.fold(string(k.UserID), inUsers)), tokens.DeviceID(s.fold(string(k.DeviceID), inDevices)))
}

func (s *faulty) put(reg tokens.Registration) { s.rows.set(s.id(reg.Key), reg) }

func (s *faulty) erase(k tokens.Key) {
	delete(s.rows, s.id(k))
	delete(s.broken, s.id(k))
}

func corruptFaulty(_ testing.TB, s store.Store, k tokens.Key) {
	f := s.(*faulty)
	f.broken.set(f.id(k), true)
}

// where returns the selected rows in a fixed order.
func (s *faulty) where(selected func(tokens.Registration) bool) []tokens.Registration {
	var rows []tokens.Registration
	for _, r := range s.rows {
		if selected(r) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, byDevice)
	return rows
}

func (s *faulty) all() []tokens.Registration {
	return s.where(func(tokens.Registration) bool { return true })
}

func byDevice(a, b tokens.Registration) int {
	return cmp.Or(cmp.Compare(a.Key.DeviceID, b.Key.DeviceID), cmp.Compare(a.Key.UserID, b.Key.UserID))
}

func lowered(k tokens.Key) tokens.Key {
	return key(tokens.UserID(strings.ToLower(string(k.UserID))), tokens.DeviceID(strings.ToLower(string(k.DeviceID))))
}

func byLoweredDevice(a, b tokens.Key) int {
	return cmp.Compare(lowered(a).DeviceID, lowered(b).DeviceID)
}

func (s *faulty) of(user tokens.UserID) []tokens.Registration {
	return s.where(func(r tokens.Registration) bool { return r.Key.UserID == user })
}

func (s *faulty) same(a, b tokens.Token) bool {
	if s.has("takes two spellings for two tokens", "Register/Respelled", "Move/Respelled", "Holder/Respelled", "Invalidate/Respelled") {
		return a.Reveal() == b.Reveal()
	}
	if s.foldsTokens() {
		return s.foldToken(a) == s.foldToken(b)
	}
	if s.has("knows a token by the String of its hash", "Keys/Tokens") {
		return a.Hash().String() == b.Hash().String()
	}
	return a.Equal(b)
}

func (s *faulty) hashes(t tokens.Token, h tokens.Hash) bool {
	if s.has("takes two spellings for two tokens") {
		return sha256.Sum256([]byte(t.Reveal())) == h
	}
	if known, ok := s.known[h]; ok && s.foldsTokens() {
		return s.same(t, known)
	}
	return t.Hash() == h
}

// usual reports whether the token has the most frequent spelling.
func usual(t tokens.Token) bool { return strings.HasPrefix(t.Reveal(), "ExponentPushToken[") }

func (s *faulty) expired(r tokens.Registration, now time.Time) bool {
	switch {
	case s.has("expires a second early", "Expiry/Boundary", "Expiry/RegisterBeforeIt", "Expiry/OfInactive"):
		now = now.Add(time.Second)
	case s.has("expires a second late", "Expiry/Boundary", "Expiry/OfInactive"):
		now = now.Add(-time.Second)
	case s.has("expires a moment late", "Expiry/Boundary"):
		now = now.Add(-time.Nanosecond)
	}
	return r.Expired(now)
}
