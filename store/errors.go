package store

import (
	"errors"

	"github.com/devicetokens/devicetokens/tokens"
)

// The errors of a [Store], to be told apart with [errors.Is].
var (
	// ErrNotFound says that no live registration is there. The caller treats
	// the user, device or token as not registered.
	ErrNotFound = errors.New("store: registration not found")

	// ErrTryAgain says that the store is contended, throttled or could not be
	// reached, and that a write may have happened or not. The caller repeats
	// the call after a while, or answers 503 with Retry-After.
	ErrTryAgain = errors.New("store: try again")

	// ErrMisconfigured says that the store cannot work as it is set up: no such
	// table, access denied, an unusable key. Repeating does not help; the
	// caller answers 500 and wakes somebody.
	ErrMisconfigured = errors.New("store: misconfigured")
)

// A CorruptError says that what is stored under a key cannot be decoded. To the
// user the device is not registered: Register overwrites it, Delete erases it.
// The text names no key, so that it may be logged.
type CorruptError struct {
	Key tokens.Key
	Err error // what cannot be decoded; names attributes, not their values
}

var _ error = (*CorruptError)(nil)

// Error returns a text without the key.
func (e *CorruptError) Error() string {
	return "store: stored registration cannot be decoded: " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *CorruptError) Unwrap() error { return e.Err }
