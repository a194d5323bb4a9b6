package dynamostore

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An UpgradeClient is what [Upgrade] asks of the AWS SDK. On AWS it needs the
// IAM actions Scan, GetItem, PutItem, UpdateItem and DeleteItem; Scan is an
// operator's, never the service's.
type UpgradeClient interface {
	Client
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

var _ UpgradeClient = (*dynamodb.Client)(nil)

// UpgradeOptions are the optional arguments of [Upgrade]. The zero value
// upgrades the whole table with the default policy, as fast as it can.
type UpgradeOptions struct {
	// Policy has the TTL and the clock. Use the service's.
	Policy store.Policy

	// DryRun reads and reports, and writes nothing. To find tokens that are
	// held twice it remembers all tokens' hashes, some 250 bytes a row.
	DryRun bool

	// RowsPerSecond bounds how many rows are looked at in a second, on
	// average; 0 means no bound. A row costs a read unit besides the scan;
	// one that gets its claim, four write units more.
	RowsPerSecond float64

	// PageSize is how many items are read at a time, and so how much is done
	// again after an interruption. 0 means 200.
	PageSize int32

	// Resume is the Cursor of an earlier report, to go on from there. ""
	// begins at the beginning. A dry run that resumes finds no token twice
	// that is on both sides.
	Resume string

	// Progress, if not nil, is called after each page with the report so far,
	// which it must not keep.
	Progress func(UpgradeReport)
}

// An UpgradeReport says what [Upgrade] found and, unless in a dry run, changed.
type UpgradeReport struct {
	Rows          int // registrations looked at; claims do not count
	Expired       int // of those, expired and left to DynamoDB's TTL
	WithoutExpiry int // of those, without an expiry: they get one
	Unclaimed     int // of those, without the claim on their token: they get it, unless another row keeps the token

	// Duplicates are the rows that have a token that another one keeps, and
	// are removed.
	Duplicates []Duplicate
	// Unreadable are rows that cannot be decoded. They are left as they are:
	// they reach nobody, and go when their device registers again.
	Unreadable []tokens.Key

	// ReadUnits and WriteUnits are the capacity that DynamoDB reported.
	ReadUnits, WriteUnits float64

	// Cursor is where to resume after an error, "" at the end. It names a
	// user.
	Cursor string
}

// A Duplicate is a row that had a token together with another one. Kept was
// updated later, or has the claim if both were updated at one time; with three
// rows it may be in a Duplicate of its own.
type Duplicate struct{ Removed, Kept tokens.Key }

const defaultPageSize = 200

// Upgrade makes a table of the earlier service, whose rows have neither expiry nor
// claims, into one whose tokens are exclusive. It is also the repair to run
// before traffic on a table that was restored, since a restore may hold half of
// a transaction: it looks at every row, and at the claim on its token.
//
//   - A row without an expiry gets the later of UpdatedAt + TTL and 30 days from
//     now.
//   - A row that does not hold the claim on its token gets it. If another live
//     row has the same token, the one updated last stays, and the other one is
//     removed.
//   - An expired row is left to TTL, a row that cannot be decoded to whoever can
//     read it. A claim that nobody holds expires by itself.
//
// It may run while stores of this package serve the table, and more than once at
// a time: it changes a row only if that is as it was read, and looks again
// otherwise. The earlier service must have stopped writing. Running it again
// changes nothing.
//
// The report is valid also with an error, which is that of [store.Store]; its
// Cursor says where to go on. The page that was under way is looked at again.
func Upgrade(ctx context.Context, c UpgradeClient, table string, opts UpgradeOptions) (UpgradeReport, error) {
	u, err := newUpgrade(c, table, opts)
	if err != nil {
		return UpgradeReport{}, err
	}
	err = u.run(ctx)
	return u.report, err
}

// An upgrade is an Upgrade under way.
type upgrade struct {
	op     *operation
	client UpgradeClient
	opts   UpgradeOptions
	report UpgradeReport
	start  item                       // where the next page begins; nil: at the beginning
	seen   map[[32]byte]upgradeHolder // in a dry run: who keeps a token
}

func newUpgrade(c UpgradeClient, table string, opts UpgradeOptions) (*upgrade, error) {
	s, err := New(c, table, Options{Policy: opts.Policy})
	start, cursorErr := parseCursor(opts.Resume)
	var errs []error
	if opts.RowsPerSecond < 0 {
		errs = append(errs, fmt.Errorf("dynamostore: UpgradeOptions.RowsPerSecond is %v, want 0 or more", opts.RowsPerSecond))
	}
	if opts.PageSize < 0 {
		errs = append(errs, fmt.Errorf("dynamostore: UpgradeOptions.PageSize is %d, want 0 or more", opts.PageSize))
	}
	if err := errors.Join(append(errs, err, cursorErr)...); err != nil {
		return nil, err
	}
	if opts.PageSize == 0 {
		opts.PageSize = defaultPageSize
	}
	return &upgrade{
		op: s.beginWrite("upgrade"), client: c, opts: opts, start: start,
		report: UpgradeReport{Cursor: opts.Resume},
		seen:   make(map[[32]byte]upgradeHolder),
	}, nil
}

func (u *upgrade) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for began := time.Now(); ; {
		items, next, err := u.scan(ctx)
		if err != nil {
			return err
		}
		for _, i := range items {
			if strings.HasPrefix(row{item: i}.text(attrUserID), claimPrefix) {
				continue
			}
			if err := u.row(ctx, newRow(i)); err != nil {
				return err
			}
		}
		u.start = next
		u.report.Cursor = cursor(next)
		u.report.ReadUnits, u.report.WriteUnits = u.op.event.ReadUnits, u.op.event.WriteUnits
		if u.opts.Progress != nil {
			u.opts.Progress(u.report)
		}
		if next == nil {
			return nil
		}
		if err := u.pace(ctx, began); err != nil {
			return err
		}
	}
}

func (u *upgrade) scan(ctx context.Context) (items []item, next item, err error) {
	out, err := u.client.Scan(ctx, &dynamodb.ScanInput{
		TableName:              &u.op.store.table,
		ConsistentRead:         ptr(true),
		Limit:                  &u.opts.PageSize,
		ExclusiveStartKey:      u.start,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	u.op.event.Calls++
	if err != nil {
		return nil, nil, u.op.callError(ctx, "Scan", err)
	}
	u.op.countRead(out.ConsumedCapacity)
	if len(out.LastEvaluatedKey) == 0 {
		return out.Items, nil, nil
	}
	return out.Items, out.LastEvaluatedKey, nil
}

// pace waits until as much time has gone by as the rows so far may take.
func (u *upgrade) pace(ctx context.Context, began time.Time) error {
	if u.opts.RowsPerSecond == 0 {
		return ctx.Err()
	}
	due := began.Add(time.Duration(float64(u.report.Rows) / u.opts.RowsPerSecond * float64(time.Second)))
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return u.op.endedBetweenCalls(ctx.Err())
	}
}

// cursor returns the text of a key where a scan goes on.
func cursor(key item) string {
	if key == nil {
		return ""
	}
	r := row{item: key}
	text, _ := json.Marshal([2]string{r.text(attrUserID), r.text(attrDeviceID)}) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

var errCursor = errors.New("dynamostore: UpgradeOptions.Resume is not the Cursor of a report")

func parseCursor(s string) (item, error) {
	if s == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, errCursor
	}
	var key [2]string
	if err := json.Unmarshal(text, &key); err != nil || key[0] == "" || key[1] == "" {
		return nil, errCursor
	}
	return keyOf(tokens.Key{UserID: tokens.UserID(key[0]), DeviceID: tokens.DeviceID(key[1])}), nil
}
