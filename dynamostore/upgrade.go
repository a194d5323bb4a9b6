package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An UpgradeClient is the part of the AWS SDK that [Upgrade] uses. It needs the IAM actions
// Scan, GetItem, PutItem, UpdateItem and DeleteItem. Grant Scan to operators and not to the
// service.
type UpgradeClient interface {
	Client
	WalkerClient
}

var _ UpgradeClient = (*dynamodb.Client)(nil)

// UpgradeOptions are the optional arguments of [Upgrade]. The zero value upgrades the whole
// table with the default policy.
type UpgradeOptions struct {
	// Policy has the TTL and the clock. Use that of the service.
	Policy store.Policy

	// DryRun makes Upgrade report without writing. To find duplicate tokens, it keeps the
	// hashes of all tokens in memory, about 250 bytes for each row.
	DryRun bool

	// Segments is the number of segments of the table that Upgrade processes concurrently,
	// each one row at a time. The maximum is 256, and 0 means 16. The speed grows with
	// Segments until the table throttles. An upgraded row takes four write units.
	Segments int

	// RowsPerSecond is the maximum average number of rows that all segments together read
	// in a second. 0 means no limit. A row takes a read unit in addition to the scan.
	RowsPerSecond float64

	// PageSize is the number of items that a segment reads at a time. 0 means 200. After an
	// interruption, Upgrade repeats the page of each segment.
	PageSize int32

	// Resume is the Cursor of an earlier report, whose segments Upgrade uses. "" starts at the
	// beginning. A resumed dry run does not find the duplicates of rows that were read before.
	Resume string

	// Progress, if not nil, is called after each page with the report so far, which it must
	// not keep. Calls do not overlap.
	Progress func(UpgradeReport)
}

// An UpgradeReport describes what [Upgrade] found and changed, or would change in a dry run.
type UpgradeReport struct {
	Rows int // registrations that were read

	Expired       int // rows that are expired, which Upgrade leaves to DynamoDB's TTL
	WithoutExpiry int // rows without an expiry, which get one
	Unclaimed     int // rows without the claim on their token, which get it unless another row keeps the token

	// Duplicates has the rows whose token another row keeps, ordered by the removed key.
	Duplicates []Duplicate
	// Unreadable has the keys of rows that cannot be decoded, in order. Upgrade does not
	// change them. List omits them, and a Register of the device overwrites them.
	// DeleteUser erases them, or [EraseUser] if DeleteUser rejects the user id.
	Unreadable []tokens.Key

	// ReadUnits and WriteUnits are the capacity units that DynamoDB reported.
	ReadUnits, WriteUnits float64

	// Cursor is the position to resume from after an error. It is "" at the start and at
	// the end, and contains user ids.
	Cursor string
}

// A Duplicate is a pair of rows with the same token. If more than two rows have it, Kept may
// be Removed in another Duplicate.
//
// Upgrade keeps the row that was updated last. A time in the future counts as now. Of two
// rows with the same time, it keeps the row to which Register gave the claim on the token,
// or else the row with the smaller user id and device id (bytes).
type Duplicate struct{ Removed, Kept tokens.Key }

const (
	defaultSegments    = 16
	maxUpgradeSegments = 256
	defaultPageSize    = 200
)

// Upgrade prepares a table of the earlier service, whose rows have no expiry and no claims.
// Until a row is upgraded, another user's Register does not take its token, and messages to
// both users reach the device.
//
//   - A row without an expiry gets the later of UpdatedAt + TTL and 30 days from now.
//   - A row that does not hold the claim on its token gets it. If another live row has
//     the same token, Upgrade removes one of the two: see [Duplicate].
//   - Upgrade leaves expired rows to TTL, and reports rows that cannot be decoded.
//
// The earlier service must have stopped writing. Stores of this package may write to the
// table meanwhile, and several Upgrades may run at the same time. A second Upgrade changes
// nothing.
//
// Errors are those of [store.Store]. The report is valid also with an error, and its Cursor
// resumes the upgrade.
func Upgrade(ctx context.Context, c UpgradeClient, table string, opts UpgradeOptions) (UpgradeReport, error) {
	u, err := newUpgrade(c, table, opts)
	if err != nil {
		return UpgradeReport{}, err
	}
	err = u.run(ctx)
	slices.SortFunc(u.report.Duplicates, func(a, b Duplicate) int { return compareKeys(a.Removed, b.Removed) })
	slices.SortFunc(u.report.Unreadable, compareKeys)
	return u.report, err
}

// Repair makes a table consistent that was restored from a backup. A backup may contain half
// of a transaction: a registration without its claim, or two registrations with one token.
// Run Repair before the first traffic. It is the same as [Upgrade].
func Repair(ctx context.Context, c UpgradeClient, table string, opts UpgradeOptions) (UpgradeReport, error) {
	return Upgrade(ctx, c, table, opts)
}

type upgrade struct {
	store  *Store
	client UpgradeClient
	opts   UpgradeOptions
	began  time.Time

	mu       sync.Mutex // guards the fields below
	report   UpgradeReport
	open     openSegments
	reserved int                       // rows that the rate limit has admitted
	seen     map[tokens.Hash]contender // in a dry run: the row that keeps a token
	err      error                     // the first one
}

func newUpgrade(c UpgradeClient, table string, opts UpgradeOptions) (*upgrade, error) {
	s, err := New(c, table, Options{Policy: opts.Policy})
	errs := []error{err}
	if opts.Segments < 0 || opts.Segments > maxUpgradeSegments {
		errs = append(errs, fmt.Errorf("dynamostore: UpgradeOptions.Segments is %d, want 0 to %d", opts.Segments, maxUpgradeSegments))
	}
	if opts.RowsPerSecond < 0 {
		errs = append(errs, fmt.Errorf("dynamostore: UpgradeOptions.RowsPerSecond is %v, want 0 or more", opts.RowsPerSecond))
	}
	if opts.PageSize < 0 {
		errs = append(errs, fmt.Errorf("dynamostore: UpgradeOptions.PageSize is %d, want 0 or more", opts.PageSize))
	}
	var open openSegments
	if opts.Resume != "" {
		if open, err = parseSegments(opts.Resume); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	opts.PageSize = cmp.Or(opts.PageSize, defaultPageSize)
	opts.Segments = cmp.Or(opts.Segments, defaultSegments)
	if opts.Resume == "" {
		open = newSegments(int32(opts.Segments))
	}
	return &upgrade{
		store: s, client: c, opts: opts, began: time.Now(),
		open: open, report: UpgradeReport{Cursor: opts.Resume},
		seen: make(map[tokens.Hash]contender),
	}, nil
}

// After an error in one segment, the others finish their current row.
func (u *upgrade) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var segments sync.WaitGroup
	for n := range u.open {
		segments.Go(func() {
			w := segmentWalk{upgrade: u, op: u.store.beginWrite("upgrade"), at: &u.open[n], running: running}
			if err := w.run(ctx); err != nil {
				u.mu.Lock()
				defer u.mu.Unlock()
				if u.err == nil {
					u.err = err
				}
				stop()
			}
		})
	}
	segments.Wait()
	return u.err
}

type segmentWalk struct {
	*upgrade
	op      *operation
	at      *scanPosition   // in open
	running context.Context // ends when another segment fails
}

func (w *segmentWalk) run(ctx context.Context) error {
	for w.running.Err() == nil {
		items, next, err := w.op.scan(ctx, w.client, *w.at, w.opts.PageSize)
		if err != nil {
			return err
		}
		var rows []row
		for _, i := range items {
			if !(row{item: i}).isClaim() {
				rows = append(rows, newRow(i))
			}
		}
		if err := w.pace(ctx, len(rows)); err != nil {
			return err
		}
		for _, r := range rows {
			if w.running.Err() != nil {
				return w.stopped(ctx)
			}
			found, err := w.row(ctx, r)
			if err != nil {
				return err
			}
			w.mu.Lock()
			w.report.add(found)
			w.mu.Unlock()
		}
		if w.pageDone(next) {
			return nil
		}
	}
	return w.stopped(ctx)
}

func (w *segmentWalk) pageDone(next item) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last = len(next) == 0; last {
		*w.at = scanPosition{}
	} else {
		w.at.after = row{item: next}.key()
	}
	w.report.Cursor = w.open.cursor()
	w.report.ReadUnits += w.op.event.ReadUnits
	w.report.WriteUnits += w.op.event.WriteUnits
	w.op.event.ReadUnits, w.op.event.WriteUnits = 0, 0
	if w.opts.Progress != nil {
		w.opts.Progress(w.report)
	}
	return last
}

// stopped returns the context's error, and nil if another segment failed.
func (w *segmentWalk) stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return w.op.endedBetweenCalls(err)
	}
	return nil
}

// pace waits until the rate limit admits rows more.
func (w *segmentWalk) pace(ctx context.Context, rows int) error {
	if w.opts.RowsPerSecond == 0 || rows == 0 {
		return nil
	}
	w.mu.Lock()
	due := w.began.Add(time.Duration(float64(w.reserved) / w.opts.RowsPerSecond * float64(time.Second)))
	w.reserved += rows
	w.mu.Unlock()
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.running.Done():
		return w.stopped(ctx)
	}
}

func (r *UpgradeReport) add(found UpgradeReport) {
	r.Rows += found.Rows
	r.Expired += found.Expired
	r.WithoutExpiry += found.WithoutExpiry
	r.Unclaimed += found.Unclaimed
	r.Duplicates = append(r.Duplicates, found.Duplicates...)
	r.Unreadable = append(r.Unreadable, found.Unreadable...)
}
