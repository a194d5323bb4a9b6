package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Record is one stored registration in any state: active, inactive, expired or
// corrupt.
type Record struct {
	Key tokens.Key
	// Registration is zero if Err is not nil.
	Registration tokens.Registration
	// Err is a [*CorruptError] if the registration cannot be decoded.
	Err error
}

// An Inspector returns every stored registration of a user, in any state. It is an
// optional interface of a [Store]. Call it with the function [Inspect].
type Inspector interface {
	// Inspect returns the user's records ordered by device id (bytes), including
	// expired ones that are still stored. No records is not an error.
	// (Rule: inspect.)
	Inspect(ctx context.Context, user tokens.UserID) ([]Record, error)
}

// A Cursor is a position in a walk over a store. It is opaque, and valid only for
// the store that returned it, also in a later process. The zero Cursor is the start
// of a walk as an argument, and the end as a result. A Cursor contains a user id:
// treat it as personal data.
type Cursor string

// A Walker returns all stored registrations in pages, for support, migration and
// counts. It is an optional interface of a [Store]. Call it with the functions
// [Segments] and [Page].
type Walker interface {
	// Segments splits a walk over all registrations into 1 to n parts for
	// concurrent use, and returns a cursor at the start of each. n is 1 or more.
	// The parts may overlap.
	Segments(ctx context.Context, n int) ([]Cursor, error)

	// Page reads at most limit stored rows from the cursor on. It returns the
	// registrations among them and the cursor of the next page, which is zero at
	// the end of the walk. A page may be empty before the end. limit is 1 or
	// more.
	//
	// After an error, call Page again with the same cursor, even if the
	// registration at the cursor was deleted. The error is a
	// [*tokens.InvalidError] for a cursor that this store did not return.
	// (Rule: walk.)
	Page(ctx context.Context, from Cursor, limit int) ([]Record, Cursor, error)
}

// FieldCursor and FieldLimit are the fields of a [*tokens.InvalidError] of a
// [Walker]. FieldLimit is also the field for the argument of Segments.
const (
	FieldCursor = "cursor"
	FieldLimit  = "limit"
)

// Walk iterates over all records from the cursor on, and reads limit rows at a
// time. On an error it yields a zero Record with the error and stops.
func Walk(ctx context.Context, w Walker, from Cursor, limit int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			records, next, err := w.Page(ctx, from, limit)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			from = next
		}
	}
}

// Inspect calls the [Inspector] that s implements or wraps, or returns
// [errors.ErrUnsupported]: see Growth in the package comment.
func Inspect(ctx context.Context, s Store, user tokens.UserID) ([]Record, error) {
	i, err := find[Inspector](s)
	if err != nil {
		return nil, err
	}
	return i.Inspect(ctx, user)
}

// Segments calls the [Walker] that s implements or wraps, like [Inspect].
func Segments(ctx context.Context, s Store, n int) ([]Cursor, error) {
	w, err := find[Walker](s)
	if err != nil {
		return nil, err
	}
	return w.Segments(ctx, n)
}

// Page calls the [Walker] that s implements or wraps, like [Inspect].
func Page(ctx context.Context, s Store, from Cursor, limit int) ([]Record, Cursor, error) {
	w, err := find[Walker](s)
	if err != nil {
		return nil, "", err
	}
	return w.Page(ctx, from, limit)
}

// Import calls the [Importer] that s implements or wraps, like [Inspect].
func Import(ctx context.Context, s Store, r tokens.Registration) (ImportOutcome, error) {
	i, err := find[Importer](s)
	if err != nil {
		return "", err
	}
	return i.Import(ctx, r)
}

// find returns the first store in the chain of wrappers that implements T.
func find[T any](s Store) (T, error) {
	for s != nil {
		if found, ok := s.(T); ok {
			return found, nil
		}
		wrapper, ok := s.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		s = wrapper.Unwrap()
	}
	var none T
	return none, fmt.Errorf("store: %T has no %s: %w", s, reflect.TypeFor[T]().Name(), errors.ErrUnsupported)
}

// ValidatePage validates the limit of Page and the n of Segments, for
// implementations of [Walker]. It returns nil or a [*tokens.InvalidError].
func ValidatePage(limit int) error {
	if limit < 1 {
		return &tokens.InvalidError{Fields: []tokens.FieldError{{Field: FieldLimit, Code: tokens.CodeMalformed}}}
	}
	return nil
}

// A KeyRange is the remaining part of a walk, for implementations of [Walker] that
// return keys in order: by user id, then by device id (bytes). The zero KeyRange
// contains every key.
type KeyRange struct {
	// After is the last key before the range. With a zero DeviceID, the range
	// begins with the user's first device.
	After tokens.Key
	// Until is the first user after the range. "" means that the range ends at the
	// end of the store.
	Until tokens.UserID
}

// Contains reports whether the key is in the range.
func (k KeyRange) Contains(key tokens.Key) bool {
	if k.Until != "" && key.UserID >= k.Until {
		return false
	}
	return key.UserID > k.After.UserID || key.UserID == k.After.UserID && key.DeviceID > k.After.DeviceID
}

// Cursor encodes the range. [ParseCursor] decodes it.
func (k KeyRange) Cursor() Cursor {
	if k == (KeyRange{}) {
		return ""
	}
	text, err := json.Marshal([3]string{string(k.After.UserID), string(k.After.DeviceID), string(k.Until)})
	if err != nil {
		panic(err) // strings always encode
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(text))
}

// ParseCursor decodes the range that [KeyRange.Cursor] encoded. The error is a
// [*tokens.InvalidError] with the field cursor. It does not contain c.
func ParseCursor(c Cursor) (KeyRange, error) {
	if c == "" {
		return KeyRange{}, nil
	}
	var parts [3]string
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	k := KeyRange{
		After: tokens.Key{UserID: tokens.UserID(parts[0]), DeviceID: tokens.DeviceID(parts[1])},
		Until: tokens.UserID(parts[2]),
	}
	if err != nil || k.Cursor() != c {
		return KeyRange{}, &tokens.InvalidError{Fields: []tokens.FieldError{{Field: FieldCursor, Code: tokens.CodeMalformed}}}
	}
	return k, nil
}
