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
	if kept, ok := s.inspected[user]; ok && s.has("hands out the records that it keeps") {
		return kept, nil
	}
	now := s.policy.Now()
	var records []store.Record
	for _, r := range s.all() {
		if r.Key.UserID != user && !(strings.HasPrefix(string(r.Key.UserID), string(user)) && s.has("Inspect takes a user for a prefix")) {
			continue
		}
		if len(records) > 0 && s.has("Inspect reads one by one") {
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
	case len(records) == 0 && s.has("Inspect of none is an error"):
		return nil, store.ErrNotFound
	case len(records) > 500 && s.has("Inspect ends at 500"):
		records = records[:500]
	case s.has("Inspect is in no order"):
		slices.Reverse(records)
	case s.has("Inspect is ordered without regard to case"):
		slices.SortFunc(records, func(a, b store.Record) int {
			return strings.Compare(strings.ToLower(string(a.Key.DeviceID)), strings.ToLower(string(b.Key.DeviceID)))
		})
	case len(records) > 0 && s.has("Inspect shows a registration twice"):
		records = slices.Insert(records, 0, records[0])
	}
	s.inspected[user] = records
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
	case s.has("Page goes by updatedAt"):
		return key(tokens.UserID(r.UpdatedAt.Format(time.RFC3339Nano)), r.Key.DeviceID)
	case s.has("Page goes by the token"):
		return key(tokens.UserID(r.Token.Hash().String()), "device")
	case s.has("Page goes by keys without regard to case"):
		return key(tokens.UserID(strings.ToLower(string(r.Key.UserID))), tokens.DeviceID(strings.ToLower(string(r.Key.DeviceID))))
	case s.has("Page goes by the first hundred bytes of a device"):
		return key(r.Key.UserID, r.Key.DeviceID[:min(100, len(r.Key.DeviceID))])
	case s.has("Page goes by device id alone"):
		return key("any", r.Key.DeviceID)
	case s.has("Page goes by user id alone"):
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
	if len(users) == 0 && s.has("Segments of nothing are none") {
		return nil, nil
	}
	if s.has("Segments are one too many") {
		n++
	}
	most := n
	if s.has("Segments makes room for as many as it is asked for") {
		_ = make([]store.Cursor, 0, n)
	}
	n = max(1, min(n, len(users)))
	var cursors []store.Cursor
	var segment store.KeyRange
	if len(users) > 0 && s.has("Segments begin at the first user") {
		segment.After.UserID = users[0]
	}
	for i := range n {
		switch segment.Until = ""; {
		case i+1 < n:
			segment.Until = users[(i+1)*len(users)/n]
		case len(users) > 0 && s.has("Segments end at the last user"):
			segment.Until = users[len(users)-1] + " "
		}
		cursors = append(cursors, segment.Cursor())
		if segment.After.UserID = segment.Until; s.has("Segments leave out the users between them") {
			segment.After.DeviceID = "\U0010ffff"
		}
	}
	if len(cursors) > 1 && s.has("Segments leave out the last") {
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
	if s.has("Page takes any cursor") {
		err = nil
	}
	if limit < 1 && s.has("Page takes any limit") {
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
	case s.has("Page shows what was stored when the walk began"):
		if left.After.IsZero() {
			s.snapshot = rows
		}
		rows = slices.Clone(s.snapshot)
	case s.has("Page keeps its place in the store") && from != "":
		left.After = s.at
	case s.has("Page takes a cursor for an hour") && from != "":
		if s.policy.Now().Sub(s.since[from]).Abs() > time.Hour {
			return nil, "", &tokens.InvalidError{Fields: []tokens.FieldError{{Field: store.FieldCursor, Code: tokens.CodeMalformed}}}
		}
	case s.has("Page takes a cursor once") && from != "":
		if s.used[from] {
			return nil, "", nil
		}
		s.used[from] = true
	case s.has("Page ends where the cursor's key is gone") && left.After.DeviceID != "":
		if !slices.ContainsFunc(rows, func(r tokens.Registration) bool { return s.place(r) == left.After }) {
			return nil, "", nil
		}
	case s.has("Page counts the rows that it passed") && left.After.UserID == "passed":
		n := len(left.After.DeviceID)
		left.After = tokens.Key{}
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return !left.Contains(s.place(r)) })
		rows = rows[min(n, len(rows)):]
		left.After = key("passed", tokens.DeviceID(strings.Repeat("x", n)))
	}
	if left.After.UserID != "passed" {
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return !left.Contains(s.place(r)) })
	}
	if s.has("Page forgets the user's other devices") && left.After.DeviceID != "" {
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return r.Key.UserID == left.After.UserID })
	}
	if s.has("Page returns a record too many") {
		limit++
	}
	capped := limit > 1000 && s.has("Page ends a walk at the greatest page")
	if capped {
		limit = 1000
	}
	more := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	now := s.policy.Now()
	var records []store.Record
	for _, r := range rows {
		if strings.HasPrefix(string(r.Key.UserID), "#") && !s.has("Page shows what the store keeps for itself") {
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
	if !more && !s.has("Page never ends") || len(records) == 0 && s.has("Page ends where it has nothing to show") {
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
	if s.has("Page passes over the row behind the cursor") {
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

var brokenInspect = []broken{
	{"Inspect of none is an error", []string{"Inspect/None"}},
	{"Inspect hides what is inactive", []string{"Inspect/EveryState"}},
	{"Inspect hides what has expired", []string{"Inspect/EveryState"}},
	{"Inspect shows what has expired as inactive", []string{"Inspect/EveryState"}},
	{"Inspect counts as a use", []string{"Inspect/EveryState"}},
	{"Inspect is in no order", []string{"Inspect/EveryState"}},
	{"Inspect is ordered without regard to case", []string{"Inspect/EveryState"}},
	{"Inspect shows a registration twice", []string{"Inspect/EveryState"}},
	{"Inspect takes a user for a prefix", []string{"Inspect/OnlyTheUsers"}},
	{"Inspect leaves out what cannot be decoded", []string{"Inspect/EveryState"}},
	{"Inspect fails on what cannot be decoded", []string{"Inspect/EveryState"}},
	{"Inspect shows what cannot be decoded as a registration", []string{"Inspect/EveryState"}},
	{"Inspect shows what it read of what cannot be decoded", []string{"Inspect/EveryState"}},
	{"Inspect names the key of what cannot be decoded", []string{"Inspect/EveryState"}},
	{"Inspect gives a reason that is no CorruptError", []string{"Inspect/EveryState"}},
	{"Inspect reads one by one", []string{"Pairs/InspectAndRegister"}},
	{"Inspect ends at 500", []string{"Sizes/MostDevices"}},
	{"hands out the records that it keeps", []string{"Inspect/Values"}},
	{"Inspect returns one slice each time", []string{"Inspect/Values"}},
	{"Inspect reads the clock again", []string{"Inspect/Clock"}},
	{"Inspect takes invalid arguments", []string{"Inspect/Invalid"}},
	{"Inspect ignores a canceled context", []string{"Inspect/Context"}},
}

var brokenWalk = []broken{
	{"Page hides what is inactive", []string{"Walk/AnyLimit"}},
	{"Page hides what has expired", []string{"Walk/AnyLimit"}},
	{"Page shows what has expired as inactive", []string{"Walk/AnyLimit"}},
	{"Page counts as a use", []string{"Walk/AnyLimit"}},
	{"Page leaves out what cannot be decoded", []string{"Walk/AnyLimit"}},
	{"Page fails on what cannot be decoded", []string{"Walk/AnyLimit"}},
	{"Page shows what cannot be decoded as a registration", []string{"Walk/AnyLimit"}},
	{"Page shows what it read of what cannot be decoded", []string{"Walk/AnyLimit"}},
	{"Page names the key of what cannot be decoded", []string{"Walk/AnyLimit"}},
	{"Page gives a reason that is no CorruptError", []string{"Walk/AnyLimit"}},
	{"Page shows what the store keeps for itself", []string{"Walk/AnyLimit"}},
	{"Page returns a record too many", []string{"Walk/AnyLimit"}},
	{"Page never ends", []string{"Walk/AnyLimit"}},
	{"Page ends where it has nothing to show", []string{"Walk/AnyLimit"}},
	{"Page passes over the row behind the cursor", []string{"Walk/AnyLimit"}},
	{"Page forgets the user's other devices", []string{"Walk/AnyLimit"}},
	{"Page goes by device id alone", []string{"Walk/AnyLimit"}},
	{"Page goes by user id alone", []string{"Walk/AnyLimit"}},
	{"Page goes by keys without regard to case", []string{"Walk/Keys"}},
	{"Page goes by the first hundred bytes of a device", []string{"Walk/Keys"}},
	{"Page counts the rows that it passed", []string{"Walk/CursorsKeyDeleted"}},
	{"Page ends where the cursor's key is gone", []string{"Walk/CursorsKeyDeleted"}},
	{"Page goes by updatedAt", []string{"Walk/WhileWriting"}},
	{"Page goes by the token", []string{"Walk/WhileWriting"}},
	{"Page shows what was stored when the walk began", []string{"Walk/WhileWriting"}},
	{"Page keeps its place in the store", []string{"Walk/Resumed"}},
	{"Page takes a cursor once", []string{"Walk/Resumed"}},
	{"Page takes a cursor for an hour", []string{"Walk/Resumed"}},
	{"Page returns one slice each time", []string{"Walk/Values"}},
	{"Page ends a walk at the greatest page", []string{"Sizes/MostDevices"}},
	{"Segments makes room for as many as it is asked for", []string{"Walk/AnySegments"}},
	{"Segments of nothing are none", []string{"Walk/Nothing"}},
	{"Segments are one too many", []string{"Walk/AnySegments"}},
	{"Segments begin at the first user", []string{"Walk/AnySegments"}},
	{"Segments end at the last user", []string{"Walk/AnySegments"}},
	{"Segments leave out the users between them", []string{"Walk/AnySegments"}},
	{"Segments leave out the last", []string{"Walk/AnySegments"}},
	{"Segments reads the clock again", []string{"Walk/Clock"}},
	{"Page reads the clock again", []string{"Walk/Clock"}},
	{"Segments takes invalid arguments", []string{"Walk/Invalid"}},
	{"Page takes invalid arguments", []string{"Walk/Invalid"}},
	{"Page takes any cursor", []string{"Walk/Invalid"}},
	{"Page takes any limit", []string{"Walk/Invalid"}},
	{"Segments ignores a canceled context", []string{"Walk/Context"}},
	{"Page ignores a canceled context", []string{"Walk/Context"}},
}
