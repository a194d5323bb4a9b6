package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var _ interface {
	store.Inspector
	store.Walker
	store.Importer
} = (*faulty)(nil)

// faultyBackend has all that a backend may have. Its New is the test's.
func faultyBackend(b Backend) Backend {
	b.Inspector, b.Importer = true, true
	b.Walker = func(_ testing.TB, s store.Store) store.Walker { return s.(*faulty) }
	b.Corrupt, b.Again = corruptFaulty, againFaulty
	return b
}

func (s *faulty) Inspect(ctx context.Context, user tokens.UserID) ([]store.Record, error) {
	if err := s.begin(ctx, "Inspect", user.Validate()); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if kept, ok := s.inspected[user]; ok && s.has("hands out the records that it keeps", "Inspect/Values") {
		return kept, nil
	}
	now := s.policy.Now()
	var records []store.Record
	for _, r := range s.all() {
		if r.Key.UserID != user && !(strings.HasPrefix(string(r.Key.UserID), string(user)) && s.has("Inspect takes a user for a prefix", "Inspect/EveryState")) {
			continue
		}
		if len(records) > 0 && s.has("Inspect reads one by one", "Pairs/InspectAndRegister") {
			s.gap()
			var stored bool
			if r, stored = s.rows[s.id(r.Key)]; !stored {
				continue
			}
		}
		record, err := s.record("Inspect", r, now)
		if err != nil {
			return nil, err
		}
		if record != nil {
			records = append(records, *record)
		}
	}
	switch {
	case len(records) == 0 && s.has("Inspect of none is an error", "Inspect/None"):
		return nil, store.ErrNotFound
	case len(records) > 500 && s.has("Inspect ends at 500", "Sizes/MostDevices"):
		records = records[:500]
	case s.has("Inspect is in no order", "Inspect/EveryState"):
		slices.Reverse(records)
	case s.has("Inspect is ordered without regard to case", "Inspect/EveryState"):
		slices.SortFunc(records, func(a, b store.Record) int {
			return strings.Compare(strings.ToLower(string(a.Key.DeviceID)), strings.ToLower(string(b.Key.DeviceID)))
		})
	case len(records) > 0 && s.has("Inspect shows a registration twice", "Inspect/EveryState"):
		records = slices.Insert(records, 0, records[0])
	}
	s.inspected.set(user, records)
	return s.shared("Inspect", records), nil
}

// shared returns the records in one slice each time, if the store has the fault.
func (s *faulty) shared(method string, records []store.Record) []store.Record {
	if !s.has(method + " returns one slice each time") {
		return records
	}
	s.recordBuf = append(s.recordBuf[:0], records...)
	return s.recordBuf
}

// record is what Inspect and Page show of the row; nil if nothing.
func (s *faulty) record(method string, r tokens.Registration, now time.Time) (*store.Record, error) {
	record := &store.Record{Key: r.Key, Registration: s.mixed(method, r)}
	switch expired := s.expired(r, now); {
	case s.broken[s.id(r.Key)]:
		record = &store.Record{Key: r.Key, Err: &store.CorruptError{Key: r.Key, Err: errBroken}}
		switch {
		case s.has(method + " leaves out what cannot be decoded"):
			return nil, nil
		case s.has(method + " fails on what cannot be decoded"):
			return nil, record.Err
		case s.has(method + " shows what cannot be decoded as a registration"):
			record.Err = nil
		case s.has(method + " shows what it read of what cannot be decoded"):
			record.Registration = r
		case s.has(method + " names the key of what cannot be decoded"):
			record.Err = fmt.Errorf("%v: %w", r.Key, record.Err)
		case s.has(method + " gives a reason that is no CorruptError"):
			record.Err = errBroken
		}
	case !r.Active() && s.has(method+" hides what is inactive"),
		expired && s.has(method+" hides what has expired"):
		return nil, nil
	case expired && s.has(method+" shows what has expired as inactive"):
		record.Registration.Status = tokens.Inactive
	case s.has(method + " counts as a use"):
		r.ExpiresAt = s.policy.Expiry(now)
		s.put(r)
	}
	return record, nil
}

// stored returns all rows by user and device, and before them a row for each
// token, such as a store may keep for itself.
func (s *faulty) stored() []tokens.Registration {
	rows := s.all()
	for _, r := range rows {
		rows = append(rows, tokens.Registration{Key: key("#token", tokens.DeviceID(r.Token.Hash().String()))})
	}
	slices.SortFunc(rows, func(a, b tokens.Registration) int {
		ka, kb := s.place(a), s.place(b)
		return cmp.Or(cmp.Compare(ka.UserID, kb.UserID), cmp.Compare(ka.DeviceID, kb.DeviceID))
	})
	return rows
}

// place is where a walk comes to the row.
func (s *faulty) place(r tokens.Registration) tokens.Key {
	switch {
	case s.has("Page goes by updatedAt", "Walk/WhileWriting"):
		return key(tokens.UserID(r.UpdatedAt.Format(time.RFC3339Nano)), r.Key.DeviceID)
	case s.has("Page goes by the token", "Walk/WhileWriting"):
		return key(tokens.UserID(r.Token.Hash().String()), "device")
	case s.has("Page goes by keys without regard to case", "Walk/Keys"):
		return key(tokens.UserID(strings.ToLower(string(r.Key.UserID))), tokens.DeviceID(strings.ToLower(string(r.Key.DeviceID))))
	case s.has("Page goes by the first hundred bytes of a device", "Walk/Keys"):
		return key(r.Key.UserID, r.Key.DeviceID[:min(100, len(r.Key.DeviceID))])
	case s.has("Page goes by device id alone", "Walk/EveryState"):
		return key("any", r.Key.DeviceID)
	case s.has("Page goes by user id alone", "Walk/EveryState"):
		return key(r.Key.UserID, "any")
	}
	return r.Key
}

func (s *faulty) Segments(ctx context.Context, n int) ([]store.Cursor, error) {
	if err := s.begin(ctx, "Segments", store.ValidatePage(n)); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var users []tokens.UserID
	for _, r := range s.stored() {
		users = append(users, s.place(r).UserID)
	}
	slices.Sort(users)
	users = slices.Compact(users)
	if len(users) == 0 && s.has("Segments of nothing are none", "Walk/Nothing") {
		return nil, nil
	}
	if s.has("Segments are one too many", "Walk/AnySegments") {
		n++
	}
	most := n
	if s.has("Segments makes room for as many as it is asked for", "Walk/AnySegments") {
		_ = make([]store.Cursor, 0, n)
	}
	n = max(1, min(n, len(users)))
	var cursors []store.Cursor
	var segment store.KeyRange
	if len(users) > 0 && s.has("Segments begin at the first user", "Walk/AnySegments") {
		segment.After.UserID = users[0]
	}
	for i := range n {
		switch segment.Until = ""; {
		case i+1 < n:
			segment.Until = users[(i+1)*len(users)/n]
		case len(users) > 0 && s.has("Segments end at the last user", "Walk/AnySegments"):
			segment.Until = users[len(users)-1] + " "
		}
		cursors = append(cursors, segment.Cursor())
		if segment.After.UserID = segment.Until; s.has("Segments leave out the users between them", "Walk/AnySegments") {
			segment.After.DeviceID = "\U0010ffff"
		}
	}
	if len(cursors) > 1 && s.has("Segments leave out the last", "Walk/AnySegments") {
		cursors = cursors[:len(cursors)-1]
	}
	for s.has("Segments are one too many") && len(cursors) < most {
		cursors = append(cursors, cursors[0])
	}
	return cursors, nil
}

func (s *faulty) Page(ctx context.Context, from store.Cursor, limit int) ([]store.Record, store.Cursor, error) {
	left, err := store.ParseCursor(from)
	s.mu.Lock()
	if s.has("Page takes any cursor", "Invalid/Page") {
		err = nil
	}
	if limit < 1 && s.has("Page takes any limit", "Invalid/Page") {
		limit = 1
	}
	s.mu.Unlock()
	if err := s.begin(ctx, "Page", tokens.JoinInvalid(err, store.ValidatePage(limit))); err != nil {
		return nil, "", err
	}
	defer s.mu.Unlock()
	limit = max(limit, 1)
	rows := s.stored()
	switch {
	case s.has("Page shows what was stored when the walk began", "Walk/WhileWriting"):
		if left.After.IsZero() {
			s.snapshot = rows
		}
		rows = slices.Clone(s.snapshot)
	case s.has("Page keeps its place in the store", "Walk/Resumed") && from != "":
		left.After = s.at
	case s.has("Page takes a cursor for an hour", "Walk/Resumed") && from != "":
		if s.policy.Now().Sub(s.since[from]).Abs() > time.Hour {
			return nil, "", &tokens.InvalidError{Fields: []tokens.FieldError{{Field: store.FieldCursor, Code: tokens.CodeMalformed}}}
		}
	case s.has("Page takes a cursor once", "Walk/Resumed") && from != "":
		if s.used[from] {
			return nil, "", nil
		}
		s.used.set(from, true)
	case s.has("Page ends where the cursor's key is gone", "Walk/CursorsKeyDeleted") && left.After.DeviceID != "":
		if !slices.ContainsFunc(rows, func(r tokens.Registration) bool { return s.place(r) == left.After }) {
			return nil, "", nil
		}
	case s.has("Page counts the rows that it passed", "Walk/CursorsKeyDeleted") && left.After.UserID == "passed":
		n := len(left.After.DeviceID)
		left.After = tokens.Key{}
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return !left.Contains(s.place(r)) })
		rows = rows[min(n, len(rows)):]
		left.After = key("passed", tokens.DeviceID(strings.Repeat("x", n)))
	}
	if left.After.UserID != "passed" {
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return !left.Contains(s.place(r)) })
	}
	if s.has("Page forgets the user's other devices", "Walk/EveryState") && left.After.DeviceID != "" {
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return r.Key.UserID == left.After.UserID })
	}
	if s.has("Page returns a record too many", "Walk/EveryState") {
		limit++
	}
	capped := limit > 1000 && s.has("Page ends a walk at the greatest page", "Sizes/MostDevices")
	if capped {
		limit = 1000
	}
	more := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	now := s.policy.Now()
	var records []store.Record
	for _, r := range rows {
		if strings.HasPrefix(string(r.Key.UserID), "#") && !s.has("Page shows what the store keeps for itself", "Walk/EveryState") {
			continue
		}
		record, err := s.record("Page", r, now)
		if err != nil {
			return nil, "", err
		}
		if record != nil {
			records = append(records, *record)
		}
	}
	records = s.shared("Page", records)
	if capped {
		return records, "", nil
	}
	if !more && !s.has("Page never ends", "Walk/EveryState") || len(records) == 0 && s.has("Page ends where it has nothing to show", "Walk/EveryState") {
		return records, "", nil
	}
	if len(rows) > 0 && !(s.has("Page counts the rows that it passed") && left.Until == "" && (from == "" || left.After.UserID == "passed")) {
		left.After = s.place(rows[len(rows)-1])
	} else if len(rows) > 0 {
		passed := len(rows)
		if left.After.UserID == "passed" {
			passed += len(left.After.DeviceID)
		}
		left.After = key("passed", tokens.DeviceID(strings.Repeat("x", passed)))
	}
	if s.has("Page passes over the row behind the cursor", "Walk/EveryState") {
		for _, r := range s.stored() {
			if left.Contains(s.place(r)) {
				left.After = s.place(r)
				break
			}
		}
	}
	s.at = left.After
	return records, left.Cursor(), nil
}
