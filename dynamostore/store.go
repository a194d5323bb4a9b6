package dynamostore

import (
	"errors"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
)

// Options are the optional arguments of [New]. The zero value works.
type Options struct {
	// Policy is the TTL, the device limit and the clock. Servers that share a
	// table should share it.
	Policy store.Policy

	// MaxAttempts is how often one write is tried before the call gives up with
	// [store.ErrTryAgain], when others write the same items at the same time: 4
	// or more, since a phone that changes hands may take three tries with
	// nobody else about. 0 means 10. The SDK's own retries, after a lost answer
	// or a throttle, come on top: configure them on the client.
	MaxAttempts int

	// Observe, if not nil, is called at the end of each call of a method of
	// [Store], from the goroutine that made it. It must be safe for concurrent
	// use, and should be quick.
	Observe func(Event)
}

const (
	defaultMaxAttempts = 10
	minMaxAttempts     = 4
)

// A Store is a [store.Store] in one table of Amazon DynamoDB. It is safe for
// concurrent use, also together with Stores of other processes. It declares all
// three differences that [store.Store] allows.
type Store struct {
	client      Client
	table       string
	policy      store.Policy
	maxAttempts int
	observe     func(Event)
}

var _ store.Store = (*Store)(nil)

// New returns a store in the named table (a name or an ARN), which has to have
// the keys that [CreateTable] gives it. New makes no request; a table that is
// missing shows at the first call, as [store.ErrMisconfigured].
//
// The error names every argument that is out of range.
func New(c Client, table string, opts Options) (*Store, error) {
	var errs []error
	if c == nil {
		errs = append(errs, errors.New("dynamostore: the client is nil"))
	}
	if table == "" {
		errs = append(errs, errors.New("dynamostore: the table has no name"))
	}
	if opts.MaxAttempts != 0 && opts.MaxAttempts < minMaxAttempts {
		errs = append(errs, fmt.Errorf("dynamostore: Options.MaxAttempts is %d, want 0, or %d or more", opts.MaxAttempts, minMaxAttempts))
	}
	policy, err := opts.Policy.WithDefaults()
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	s := &Store{client: c, table: table, policy: policy, maxAttempts: opts.MaxAttempts, observe: opts.Observe}
	if s.maxAttempts == 0 {
		s.maxAttempts = defaultMaxAttempts
	}
	return s, nil
}

// now returns the policy's time as it is stored: UTC, whole milliseconds.
func (s *Store) now() time.Time {
	return s.policy.Now().UTC().Truncate(time.Millisecond)
}
