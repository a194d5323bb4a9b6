package dynamostore

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An Operation names a method of [Store] in an [Event].
type Operation string

// The operations that are observed.
const (
	OpRegister   Operation = "register"
	OpGet        Operation = "get"
	OpList       Operation = "list"
	OpHolder     Operation = "holder"
	OpDeactivate Operation = "deactivate"
	OpInvalidate Operation = "invalidate"
	OpDelete     Operation = "delete"
	OpDeleteUser Operation = "delete_user"
)

// An Outcome says how a call ended, in an [Event]. Register's is that of its
// result, if it returned no error.
type Outcome string

// The outcomes of a call.
const (
	Created   = Outcome(store.Created)
	Refreshed = Outcome(store.Refreshed)
	Replaced  = Outcome(store.Replaced)
	// Moved is in place of these three if another user's active registration
	// lost the token.
	Moved Outcome = "moved"
	// OK is the outcome of the other methods.
	OK Outcome = "ok"

	NotFound      Outcome = "not_found"     // [store.ErrNotFound]
	Invalid       Outcome = "invalid"       // a [tokens.InvalidError]
	Corrupt       Outcome = "corrupt"       // a [store.CorruptError]
	TryAgain      Outcome = "try_again"     // [store.ErrTryAgain], or the context's deadline passed
	Misconfigured Outcome = "misconfigured" // [store.ErrMisconfigured]
	Canceled      Outcome = "canceled"      // the context was canceled
	Failed        Outcome = "error"         // any other error
)

// An Event is what one call of a method cost and how it ended. It is for metrics
// and logs; only Corrupt names anybody.
type Event struct {
	Operation Operation
	Outcome   Outcome

	// Attempts is how often the call tried to write: 0 for a read and for a
	// call that found nothing to write, more than its shortest way takes if
	// others wrote the same items.
	Attempts int

	// Calls is how many calls of the AWS SDK were made. The SDK's own retries
	// are inside one call.
	Calls int

	// Duration is from the start to the end of the call, on the wall clock.
	Duration time.Duration

	// ReadUnits and WriteUnits are the capacity that DynamoDB reported. It
	// reports none for a refused write, though it charges for one.
	ReadUnits, WriteUnits float64

	// Corrupt are the keys of rows that List left out, or Register overwrote,
	// since they cannot be decoded. nil if there are none.
	Corrupt []tokens.Key

	// Err is what the call returned.
	Err error
}

// An operation is one call of a method under way: it makes the SDK calls, and
// counts them.
type operation struct {
	*Store
	event Event
	start time.Time
	// writes says that a lost answer may hide a change.
	writes bool
}

func (s *Store) begin(op Operation) *operation {
	o := &operation{Store: s, event: Event{Operation: op}, start: time.Now()}
	switch op {
	case OpGet, OpList, OpHolder:
	default:
		o.writes = true
	}
	return o
}

// end reports the operation. outcome is what it did if err is nil.
func (op *operation) end(outcome Outcome, err error) {
	if op.observe == nil {
		return
	}
	op.event.Outcome = outcome
	if err != nil {
		op.event.Outcome = outcomeOf(err)
	}
	op.event.Err = err
	op.event.Duration = time.Since(op.start)
	op.observe(op.event)
}

func (op *operation) corrupt(k tokens.Key) { op.event.Corrupt = append(op.event.Corrupt, k) }

// ready returns the error of a context that was done before the call.
func ready(ctx context.Context, invalid error) error {
	if invalid != nil {
		return invalid
	}
	return ctx.Err()
}
