package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/store"
)

// A Client is the part of the AWS SDK that a [Store] uses. *dynamodb.Client
// implements it. It must be safe for concurrent use. Until v1 a minor version may
// add methods, so a wrapper should embed the Client that it wraps.
//
// On AWS these calls need the IAM actions PutItem, GetItem, UpdateItem,
// DeleteItem and Query on the table and no others. A transaction needs the
// actions of the items in it.
type Client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

// Options are the optional arguments of [New]. The zero value works.
type Options struct {
	// Policy is the TTL, the device limit and the clock. Servers that share a
	// table should share the TTL and the limit.
	Policy store.Policy

	// MaxAttempts limits how often one write is tried while others write the
	// same items. The call then returns [store.ErrTryAgain]. The minimum is 4,
	// because a phone that changes hands may take three attempts without any
	// contention; 0 means 10. The SDK's own retries, after a lost answer or a
	// throttled request, are not counted: configure them on the client.
	MaxAttempts int

	// Observe, if not nil, is called at the end of each method call of the
	// [Store], on the caller's goroutine. It must be safe for concurrent use
	// and should return quickly.
	Observe func(store.Event)
}

const (
	defaultMaxAttempts = 10
	minMaxAttempts     = 4
)

// A Store is a [store.Store] in one table of Amazon DynamoDB. It is safe for
// concurrent use, also together with Stores of other processes. It has all three
// deviations that [store.Store] allows.
type Store struct {
	client      Client
	table       string
	policy      store.Policy
	maxAttempts int
	observe     func(store.Event)
}

var _ store.Store = (*Store)(nil)

// New returns a store in the named table (a name or an ARN), which must have
// the keys that [CreateTable] gives it. New makes no request: the first call on
// a table that does not exist returns [store.ErrMisconfigured].
//
// A table that the earlier service filled must be upgraded before its first traffic,
// and a table that was restored must be repaired: see [Upgrade] and [Repair].
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
