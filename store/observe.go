package store

import (
	"context"
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Operation names a method in an [Event].
type Operation string

// The operations that stores report.
const (
	OpRegister   Operation = "register"
	OpGet        Operation = "get"
	OpList       Operation = "list"
	OpHolder     Operation = "holder"
	OpDeactivate Operation = "deactivate"
	OpInvalidate Operation = "invalidate"
	OpDelete     Operation = "delete"
	OpDeleteUser Operation = "delete_user"
	OpInspect    Operation = "inspect"
	OpPage       Operation = "page"
	OpImport     Operation = "import"
)

// An Outcome is the result of a call, for observers of stores and of package
// httpapi. Its fixed values can be labels of a metric. The zero value is not an
// outcome.
type Outcome string

// The outcomes of a call. [Result] has one of the first three.
const (
	Created   Outcome = "created"   // no live registration was under the key
	Refreshed Outcome = "refreshed" // a live registration had the token, in any spelling
	Replaced  Outcome = "replaced"  // a live registration had another token
	OK        Outcome = "ok"        // any other call that returned no error

	NotFound      Outcome = "not_found"     // [ErrNotFound]
	Invalid       Outcome = "invalid"       // a [tokens.InvalidError]; in httpapi, any 4xx response
	Corrupt       Outcome = "corrupt"       // a [CorruptError]
	TryAgain      Outcome = "try_again"     // [ErrTryAgain], or the context's deadline passed
	Misconfigured Outcome = "misconfigured" // [ErrMisconfigured]
	Canceled      Outcome = "canceled"      // the context was canceled
	Failed        Outcome = "failed"        // any other error
)

// OutcomeOf returns the outcome of a call that returned err: [OK] for nil.
func OutcomeOf(err error) Outcome {
	var invalid *tokens.InvalidError
	var corrupt *CorruptError
	switch {
	case err == nil:
		return OK
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, ErrTryAgain), errors.Is(err, context.DeadlineExceeded):
		return TryAgain
	case errors.Is(err, ErrMisconfigured):
		return Misconfigured
	case errors.Is(err, ErrNotFound):
		return NotFound
	case errors.As(err, &invalid):
		return Invalid
	case errors.As(err, &corrupt):
		return Corrupt
	}
	return Failed
}

// An Event describes one call of a method of a store, for metrics and logs. Only
// Corrupt contains ids of users and devices.
type Event struct {
	Operation Operation
	Outcome   Outcome
	Moved     bool // another user's active registration lost the token
	Evicted   int  // registrations that were removed for the device limit
	Duration  time.Duration
	// Attempts is the number of attempts to write: 0 if there was nothing to
	// write, and above 1 when concurrent calls write the same rows.
	Attempts int
	// Calls is the number of requests to the database: calls of the AWS SDK, each
	// including the SDK's own retries, or SQL statements.
	Calls int
	// ReadUnits and WriteUnits are the capacity units that DynamoDB reported. It
	// reports none for a write whose condition failed, but charges for it.
	ReadUnits, WriteUnits float64
	// Corrupt has the keys of registrations that List omitted or Register
	// overwrote because they cannot be decoded; nil if there are none.
	Corrupt []tokens.Key
	Err     error // the result of the call
}

// Ended returns e with the Duration, Err and Outcome of a call that began at start
// and returned err, for implementations of [Store]. The Outcome is outcome if err is
// nil, and [OutcomeOf] err otherwise.
func (e Event) Ended(start time.Time, outcome Outcome, err error) Event {
	if err != nil {
		outcome = OutcomeOf(err)
	}
	e.Outcome, e.Err, e.Duration = outcome, err, time.Since(start)
	return e
}
