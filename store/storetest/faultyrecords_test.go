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

// faultyBackend declares every ability of a backend.
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
		slices.SortFunc(records, func(a, b store.Record) int { return byLoweredDevice(a.Key, b.Key) })
	case len(records) > 0 && s.has("Inspect shows a registration twice", "Inspect/EveryState"):
		records = slices.Insert(records, 0, records[0])
	}
	s.inspected.set(user, records)
	return s.shared("Inspect", records), nil
}

func (s *faulty) shared(method string, records []store.Record) []store.Record {
	if !s.has(method + " returns one slice each time") {
		return records
	}
	s.recordBuf = append(s.recordBuf[:0], records...)
	return s.recordBuf
}

// record returns the record for Inspect and Page, or nil.
func (s *faulty) record(method string, r tokens.Registration, now time.Time) (*store.Record, error) {
	record := &store.Record{Key: r.Key, Registration: s.mixed(method, r)}
	switch expired := s.expired(r, now); {
	case s.broken[s.id(r.Key)]:
		record = &store.Record{Key: r.Key, Err: corrupt(r.Key)}
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

// A place is a row at the key by which a walk orders it.
type place struct {
	at tokens.Key
	tokens.Registration
}

// places returns all rows in the order of a walk, and before them a row for each
// token, such as a store may keep for itself.
func (s *faulty) places() []place {
	var places []place
	for _, r := range s.all() {
		places = append(places, place{s.place(r), r})
		own := tokens.Registration{Key: key("#token", tokens.DeviceID(r.Token.Hash().String()))}
		places = append(places, place{s.place(own), own})
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at.UserID, b.at.UserID), cmp.Compare(a.at.DeviceID, b.at.DeviceID))
	})
	return places
}

func (s *faulty) place(r tokens.Registration) tokens.Key {
	switch {
	case s.has("Page goes by updatedAt", "Walk/WhileWriting"):
		return key(tokens.UserID(r.UpdatedAt.Format(time.RFC3339Nano)), r.Key.DeviceID)
	case s.has("Page goes by the token", "Walk/WhileWriting"):
		return key(tokens.UserID(r.Token.Hash().String()), "device")
	case s.has("Page goes by keys without regard to case", "Walk/Keys"):
		return lowered(r.Key)
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
	for _, p := range s.places() {
		users = append(users, p.at.UserID)
	}
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
	now := s.policy.Now()
	rows := s.places()
	passed := -1
	switch {
	case s.has("Page shows what was stored when the walk began", "Walk/WhileWriting"):
		if left.After.IsZero() {
			s.snapshot = rows
		}
		rows = slices.Clone(s.snapshot)
	case s.has("Page keeps its place in the store", "Walk/Resumed") && from != "":
		left.After = s.at
	case s.has("Page takes a cursor for an hour", "Walk/Resumed") && now.Sub(s.since[from]).Abs() > time.Hour && from != "":
		return nil, "", &tokens.InvalidError{Fields: []tokens.FieldError{badCursor}}
	case s.has("Page takes a cursor once", "Walk/Resumed") && from != "":
		if s.used[from] {
			return nil, "", nil
		}
		s.used.set(from, true)
	case s.has("Page ends where the cursor's key is gone", "Walk/CursorsKeyDeleted") && left.After.DeviceID != "":
		if !slices.ContainsFunc(rows, func(p place) bool { return p.at == left.After }) {
			return nil, "", nil
		}
	case s.has("Page counts the rows that it passed", "Walk/CursorsKeyDeleted") && left.After.UserID == "":
		passed = len(left.After.DeviceID)
		left.After = tokens.Key{}
	}
	rows = slices.DeleteFunc(rows, func(p place) bool { return !left.Contains(p.at) })
	rows = rows[min(max(passed, 0), len(rows)):]
	if s.has("Page forgets the user's other devices", "Walk/EveryState") && left.After.DeviceID != "" {
		rows = slices.DeleteFunc(rows, func(p place) bool { return p.Key.UserID == left.After.UserID })
	}
	if s.has("Page returns a record too many", "Walk/EveryState") {
		limit++
	}
	capped := limit > 1000 && s.has("Page ends a walk at the greatest page", "Sizes/MostDevices")
	if capped {
		limit = 1000
	}
	rows, rest := rows[:min(limit, len(rows))], rows[min(limit, len(rows)):]
	var records []store.Record
	for _, p := range rows {
		if strings.HasPrefix(string(p.Key.UserID), "#") && !s.has("Page shows what the store keeps for itself", "Walk/EveryState") {
			continue
		}
		record, err := s.record("Page", p.Registration, now)
		if err != nil {
			return nil, "", err
		}
		if record != nil {
			records = append(records, *record)
		}
	}
	records = s.shared("Page", records)
	if capped || len(rest) == 0 && !s.has("Page never ends", "Walk/EveryState") ||
		len(records) == 0 && s.has("Page ends where it has nothing to show", "Walk/EveryState") {
		return records, "", nil
	}
	switch {
	case passed >= 0:
		left.After = key("", tokens.DeviceID(strings.Repeat("x", passed+len(rows))))
	case len(rest) > 0 && s.has("Page passes over the row behind the cursor", "Walk/EveryState"):
		left.After = rest[0].at
	case len(rows) > 0:
		left.After = rows[len(rows)-1].at
	}
	s.at = left.After
	s.since.set(left.Cursor(), now)
	return records, left.Cursor(), nil
}
