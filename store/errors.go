package store

import (
	"errors"

	"github.com/devicetokens/devicetokens/tokens"
)

// The errors of a [Store]. Compare with [errors.Is].
var (
	// ErrNotFound means that there is no live registration. The caller treats
	// the user, device or token as not registered.
	ErrNotFound = errors.New("store: registration not found")

	// ErrTryAgain means a temporary failure: the database is contended,
	// throttled or unreachable. A write may or may not have been applied. The
	// caller retries with backoff, or responds 503 with Retry-After.
	ErrTryAgain = errors.New("store: try again")

	// ErrMisconfigured means that the store cannot work as it is set up: the
	// table does not exist, access is denied, an encryption key is unusable. A
	// retry does not help. The caller responds 500 and alerts an operator.
	ErrMisconfigured = errors.New("store: misconfigured")
)

// A CorruptError means that a stored registration cannot be decoded. The caller
// treats the device as not registered: Register overwrites the row, Delete erases
// it. The text has no key, so it may be logged.
type CorruptError struct {
	Key tokens.Key
	Err error // the decoding error; it has names of attributes, not their values
}

var _ error = (*CorruptError)(nil)

// Error returns a text that does not contain the key.
func (e *CorruptError) Error() string {
	return "store: stored registration cannot be decoded: " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *CorruptError) Unwrap() error { return e.Err }
