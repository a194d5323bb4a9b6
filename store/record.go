package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Record is one stored registration, whatever its state: active, inactive,
// expired or not decodable.
type Record struct {
	Key tokens.Key
	// Registration is what is stored; zero if Err is not nil.
	Registration tokens.Registration
	// Err is a [*CorruptError] if the registration cannot be decoded.
	Err error
}

// An Inspector returns everything that is stored for a user. It is an optional
// interface of a [Store]; the function [Inspect] finds it.
type Inspector interface {
	// Inspect returns the user's records ordered by device id (bytes), also
	// expired ones that are still stored. None is no error. (Rule: inspect.)
	Inspect(ctx context.Context, user tokens.UserID) ([]Record, error)
}

// A Cursor is a position in a walk over a store. It is opaque and valid only for
// the store that returned it; it may be kept and used by a later process. The
// zero Cursor is the start of a walk over everything, and as a result the end of
// the walk.
//
// A Cursor names a user: treat it as personal data.
type Cursor string

// A Walker returns everything that is stored, a page at a time. It is an optional
// interface, for support, migration and counts.
type Walker interface {
	// Segments returns the starts of at least one and at most n walks that can
	// run side by side and together return what one walk from the zero Cursor
	// does. n is 1 or more.
	Segments(ctx context.Context, n int) ([]Cursor, error)

	// Page looks at no more than limit stored rows from the cursor on, and
	// returns the registrations among them and the cursor of the next page. The
	// walk has ended when that is zero. A page may be empty before the end.
	//
	// A walk is no snapshot, but a key that is stored throughout comes at least
	// once. After an error, the same cursor may be used again, also when what
	// it names was deleted. limit is 1 or more. The error is a
	// [*tokens.InvalidError] for a cursor that this store did not return.
	// (Rule: walk.)
	Page(ctx context.Context, from Cursor, limit int) ([]Record, Cursor, error)
}

// FieldCursor and FieldLimit are the fields of a [*tokens.InvalidError] that a
// [Walker] returns. FieldLimit also stands for the argument of Segments.
const (
	FieldCursor = "cursor"
	FieldLimit  = "limit"
)

// Walk returns all records from the cursor on, in pages of limit rows. After an
// error it yields the zero Record with the error and ends.
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

// Inspect calls the [Inspector] that s is or wraps. The error is
// [errors.ErrUnsupported] if there is none; see the package comment, Growth.
func Inspect(ctx context.Context, s Store, user tokens.UserID) ([]Record, error) {
	i, err := find[Inspector](s)
	if err != nil {
		return nil, err
	}
	return i.Inspect(ctx, user)
}

// Segments calls the [Walker] that s is or wraps, as [Inspect] does.
func Segments(ctx context.Context, s Store, n int) ([]Cursor, error) {
	w, err := find[Walker](s)
	if err != nil {
		return nil, err
	}
	return w.Segments(ctx, n)
}

// Page calls the [Walker] that s is or wraps, as [Inspect] does.
func Page(ctx context.Context, s Store, from Cursor, limit int) ([]Record, Cursor, error) {
	w, err := find[Walker](s)
	if err != nil {
		return nil, "", err
	}
	return w.Page(ctx, from, limit)
}

// Import calls the [Importer] that s is or wraps, as [Inspect] does.
func Import(ctx context.Context, s Store, r tokens.Registration) (ImportOutcome, error) {
	i, err := find[Importer](s)
	if err != nil {
		return "", err
	}
	return i.Import(ctx, r)
}

// find returns s, or what it wraps, as an optional interface.
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

// ValidatePage checks the arguments of [Walker].Page and Segments, but for the
// cursor, for stores that implement them. It returns nil or a
// [*tokens.InvalidError].
func ValidatePage(limit int) error {
	if limit < 1 {
		return &tokens.InvalidError{Fields: []tokens.FieldError{{Field: FieldLimit, Code: tokens.CodeMalformed}}}
	}
	return nil
}
