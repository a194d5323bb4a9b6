package store

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Store keeps registrations. The package comment has the rules that hold for
// all its methods, and storetest checks them.
//
// A store may declare up to three exceptions: k concurrent registrations of new
// devices may exceed a user's device limit by k − 1 until the next new device;
// Holder may return [ErrTryAgain] under contention; List is not a snapshot, so
// that while a token moves between two devices of a user, List may show it on
// both or on neither (senders deduplicate by [tokens.Token.Hash]).
//
// Every method may return a [*tokens.InvalidError], the context's error,
// [ErrTryAgain] or [ErrMisconfigured]. Any other error is a fault of the store.
type Store interface {
	// Register gives req's token to req's key, and takes it from whichever
	// registration held it, in one atomic step. An app calls it at each
	// launch.
	//
	// A live registration under the key is refreshed: it keeps RegisteredAt
	// and becomes active, the rest is as the request says, and an absent
	// ProjectID clears it. Otherwise a registration is created, also over an
	// expired one and over one that cannot be decoded; of the latter a store
	// may keep a RegisteredAt that it can read.
	//
	// A new device of a user who has [Policy].MaxDevices stored, unexpired
	// ones evicts until there is room: inactive ones first, then by oldest
	// UpdatedAt, then by smallest device id (bytes), and never the new one. At
	// most [MaxEvictions] go at once, the rest with the next new device. A
	// registration of the same user that loses the token is removed before
	// the count.
	Register(ctx context.Context, req tokens.Request) (Result, error)

	// Get returns the live registration under the key, active or not. The
	// error is [ErrNotFound] if there is none, and a [*CorruptError] if what
	// is stored cannot be decoded.
	Get(ctx context.Context, key tokens.Key) (tokens.Registration, error)

	// List returns the user's live, active registrations, ordered by device id
	// (bytes). None is no error. What cannot be decoded is left out and
	// reported to the store's observer, if it has one.
	List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error)

	// Holder returns the live registration that holds the token, active or
	// not. The error is [ErrNotFound] if none does, and a [*CorruptError] if
	// what holds it cannot be decoded.
	Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error)

	// Deactivate marks what is stored under the key as [tokens.LoggedOut]: it
	// is what a logout does. If it is inactive already, its reason stays. It
	// touches no other user's registration, even if that has the token by
	// now. Absence is no error.
	Deactivate(ctx context.Context, key tokens.Key) error

	// Invalidate marks what is stored under the key as
	// [tokens.DeviceNotRegistered]: it is what a sender does when Expo reports
	// the device of the message gone that it sent at sentAt. It has no effect
	// unless the registration still has the token, in any spelling, and its
	// UpdatedAt is at least [ClockSkew] before sentAt (or zero): a device that
	// registered again since keeps its registration. If it is inactive
	// already, its reason stays. Absence is no error; a zero sentAt is
	// invalid.
	Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error

	// Delete erases what is stored under the key, decodable or not. Absence is
	// no error.
	Delete(ctx context.Context, key tokens.Key) error

	// DeleteUser erases everything stored for the user, atomically per
	// registration. After an error some may be left: repeat it. A
	// registration made while it runs may survive it. It is also how to sign a
	// user out everywhere: the next login registers again.
	DeleteUser(ctx context.Context, user tokens.UserID) error
}

// A Result says what Register did.
type Result struct {
	// Registration is what is stored now.
	Registration tokens.Registration
	// Outcome says what was under the key before.
	Outcome Outcome
	// MovedFrom is the registration that lost the token, if it was live,
	// active and another user's: somebody else was being notified on this
	// device. It is zero otherwise, and it is for the operator and for the
	// user that it names, never for the one who registered.
	MovedFrom tokens.Key
	// Evicted are the registrations that were removed for the device limit, in
	// the order in which they went; nil if none was.
	Evicted []tokens.Key
}

// Moved reports whether another user's active registration lost the token.
func (r Result) Moved() bool { return !r.MovedFrom.IsZero() }
