package store

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Store keeps registrations. The package comment has the rules that all methods
// follow, and storetest checks them.
//
// A store may declare up to three exceptions to the rules:
//
//   - k concurrent registrations of new devices may exceed a user's device limit
//     by k − 1, until the next new device.
//   - Holder may return [ErrTryAgain] under contention.
//   - List and Inspect are not snapshots. While a token moves between two devices
//     of a user, they may return both or neither. Senders deduplicate by
//     [tokens.Token.Hash].
//
// Every method may return a [*tokens.InvalidError], the context's error,
// [ErrTryAgain] or [ErrMisconfigured]. An error that is none of these, and that the
// method does not document, is a bug or an unexpected failure of the database.
type Store interface {
	// Register atomically moves the token to the registration under the
	// request's key, and removes the registration that held it. An app calls it
	// at each launch.
	//
	// A live registration under the key keeps RegisteredAt and becomes active.
	// Its other fields are those of the request; an empty ProjectID clears the
	// stored one. Otherwise Register creates a registration, and overwrites one
	// that is expired or cannot be decoded. If the user has [Policy].MaxDevices
	// live registrations, a new device evicts others in the order of
	// [EvictionOrder]. (Rules: created, refreshed, replaced, limit.)
	Register(ctx context.Context, req tokens.Request) (Result, error)

	// Get returns the live registration under the key, active or not. The error
	// is [ErrNotFound] if there is none, and a [*CorruptError] if it cannot be
	// decoded.
	Get(ctx context.Context, key tokens.Key) (tokens.Registration, error)

	// List returns the user's live, active registrations, ordered by device id
	// (bytes). No registrations is not an error. List omits a registration that
	// cannot be decoded and reports it to the store's observer, if there is one.
	List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error)

	// Holder returns the live registration that holds the token, active or not.
	// The error is [ErrNotFound] if there is none, and a [*CorruptError] if it
	// cannot be decoded.
	Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error)

	// Deactivate gives the registration under the key the status
	// [tokens.LoggedOut]. Call it when the user logs out. It changes no other
	// registration, even if that one has the token now. An inactive registration
	// keeps its status. A missing registration is not an error.
	Deactivate(ctx context.Context, key tokens.Key) error

	// Invalidate gives the registration under the key the status
	// [tokens.DeviceNotRegistered]. A sender calls it when Expo reports
	// DeviceNotRegistered for a message that it sent to the token at sentAt.
	//
	// Invalidate has no effect unless the registration still has the token and
	// its UpdatedAt is zero or at least [ClockSkew] before sentAt. A device that
	// registered again after the message was sent therefore keeps its
	// registration. An inactive registration keeps its status. A missing
	// registration is not an error. A zero sentAt is invalid.
	Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error

	// Delete erases the registration under the key, even if it cannot be
	// decoded. A missing registration is not an error.
	Delete(ctx context.Context, key tokens.Key) error

	// DeleteUser erases all registrations of the user, each of them atomically.
	// Use it to erase a user's data, or to sign a user out on all devices; a later
	// login registers again. After an error some registrations may remain: call
	// it again. A registration that is created during the call may survive.
	DeleteUser(ctx context.Context, user tokens.UserID) error
}

// A Result is the result of Register.
type Result struct {
	// Registration is the stored registration after the call.
	Registration tokens.Registration
	// Outcome is [Created], [Refreshed] or [Replaced].
	Outcome Outcome
	// MovedFrom is the key of the registration that lost the token, if it was
	// live, active and another user's: that user received notifications on this
	// device until now. It is zero otherwise. Show it to operators and to that
	// user, never to the caller who registered.
	MovedFrom tokens.Key
	// Evicted has the keys of the registrations that were removed for the device
	// limit, in order of removal; nil if there are none.
	Evicted []tokens.Key
}

// Moved reports whether another user's active registration lost the token.
func (r Result) Moved() bool { return !r.MovedFrom.IsZero() }
