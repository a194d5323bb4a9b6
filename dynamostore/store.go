package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/store"
)

// A Client is the part of the AWS SDK that a [Store] uses. *dynamodb.Client implements it. It
// must be safe for concurrent use. Until v1 a minor version may add methods, so a wrapper
// should embed the Client that it wraps.
//
// The calls need the IAM actions PutItem, GetItem, UpdateItem, DeleteItem and Query on the
// table and no others. A transaction needs the actions of the items in it.
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
	// Policy is the TTL, the device limit and the clock. Servers that share a table should
	// use the same TTL and limit.
	Policy store.Policy

	// MaxAttempts is the maximum number of attempts of one write while other calls write the
	// same items. After that the call returns [store.ErrTryAgain]. 0 means 10. The minimum is
	// 4, because moving a token may take three attempts without contention. The SDK's
	// retries are not counted: configure them on the client.
	MaxAttempts int

	// Observe, if not nil, is called at the end of each call that a [store.Operation] names,
	// on the caller's goroutine. It must be safe for concurrent use and return quickly.
	Observe func(store.Event)
}

const (
	defaultMaxAttempts = 10
	minMaxAttempts     = 4
)

// A Store is a [store.Store] in one table of Amazon DynamoDB. It is safe for
// concurrent use, also together with Stores in other processes. It has all three
// exceptions that [store.Store] allows.
type Store struct {
	client      Client
	table       string
	policy      store.Policy
	maxAttempts int
	observe     func(store.Event)
}

var _ interface {
	store.Store
	store.Inspector
	store.Importer
} = (*Store)(nil)

// New returns a store in the named table (a name or an ARN), which must have the key schema of
// [CreateTable]. New makes no request. If the table does not exist, the first call returns
// [store.ErrMisconfigured]. The error of New names every invalid argument.
//
// Before the first traffic, call [Upgrade] on a table that the earlier service filled, and
// [Repair] on a table that was restored from a backup.
func New(c Client, table string, opts Options) (*Store, error) {
	errs := []error{checkArguments(c == nil, table)}
	if opts.MaxAttempts != 0 && opts.MaxAttempts < minMaxAttempts {
		errs = append(errs, fmt.Errorf("dynamostore: Options.MaxAttempts is %d, want 0, or %d or more", opts.MaxAttempts, minMaxAttempts))
	}
	policy, err := opts.Policy.WithDefaults()
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return &Store{
		client: c, table: table, policy: policy, observe: opts.Observe,
		maxAttempts: cmp.Or(opts.MaxAttempts, defaultMaxAttempts),
	}, nil
}

func checkArguments(noClient bool, table string) error {
	var errs []error
	if noClient {
		errs = append(errs, errors.New("dynamostore: the client is nil"))
	}
	if table == "" {
		errs = append(errs, errors.New("dynamostore: the table has no name"))
	}
	return errors.Join(errs...)
}

// now returns the policy's time in UTC and whole milliseconds, as stored.
func (s *Store) now() time.Time {
	return s.policy.Now().UTC().Truncate(time.Millisecond)
}
