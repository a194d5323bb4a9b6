package dynamostore

import (
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

// An UpgradeClient is the part of the AWS SDK that [Upgrade] uses. On AWS it needs
// the IAM actions Scan, GetItem, PutItem, UpdateItem and DeleteItem. Give Scan to
// an operator, not to the service.
type UpgradeClient interface {
	Client
	WalkerClient
}

var _ UpgradeClient = (*dynamodb.Client)(nil)

// UpgradeOptions are the optional arguments of [Upgrade]. The zero value
// upgrades the whole table with the default policy.
type UpgradeOptions struct {
	// Policy has the TTL and the clock. Use the service's.
	Policy store.Policy

	// DryRun makes Upgrade report without writing. To find duplicate tokens, a dry
	// run keeps the hashes of all tokens in memory, about 250 bytes for each row.
	DryRun bool

	// Segments is the number of segments of the table that are upgraded
	// concurrently, each one row at a time: up to 256, and 0 means 16. A row takes
	// two or three round trips, so the speed grows with Segments until the table
	// throttles. An upgraded row takes four write units.
	Segments int

	// RowsPerSecond is the maximum average number of rows that all segments
	// together read in a second. 0 means no limit. A row takes a read unit in
	// addition to the scan.
	RowsPerSecond float64

	// PageSize is the number of items that a segment reads at a time. After an
	// interruption, the page of each segment is repeated. 0 means 200.
	PageSize int32

	// Resume is the Cursor of an earlier report. Upgrade continues there, with the
	// segments of that run. "" starts at the beginning. A dry run that resumes does
	// not find a duplicate of a row that it read before the interruption.
	Resume string

	// Progress, if not nil, is called after each page with the report so far. Calls
	// do not overlap. It must not keep the report.
	Progress func(UpgradeReport)
}

// An UpgradeReport describes what [Upgrade] found and changed, or would change in a
// dry run.
type UpgradeReport struct {
	Rows          int // registrations that were read, without claims
	Expired       int // of those, expired ones, which are left to DynamoDB's TTL
	WithoutExpiry int // of those, ones without an expiry, which get one
	Unclaimed     int // of those, ones without the claim on their token, which get it unless another row keeps the token

	// Duplicates are the rows whose token another row keeps, ordered by the key
	// of the row that is removed.
	Duplicates []Duplicate
	// Unreadable has the keys of rows that cannot be decoded, in order. Upgrade
	// does not change them. List omits them, and a Register of the device
	// overwrites them. DeleteUser erases them, or [EraseUser] if DeleteUser rejects
	// the user id.
	Unreadable []tokens.Key

	// ReadUnits and WriteUnits are the capacity that DynamoDB reported.
	ReadUnits, WriteUnits float64

	// Cursor is the position to resume from after an error; "" at the start and at
	// the end. It contains user ids.
	Cursor string
}

// A Duplicate is a row that has the same token as another row, which is kept.
// Among more than two such rows, Kept may be Removed in another Duplicate.
//
// Upgrade keeps the row that was updated last; a time in the future counts as now.
// If two rows have the same time, it keeps the row to which Register gave the claim
// on the token, or else the row with the smaller user id and device id (bytes).
type Duplicate struct{ Removed, Kept tokens.Key }

const (
	defaultSegments    = 16
	maxUpgradeSegments = 256
	defaultPageSize    = 200
)

// Upgrade prepares a table of the earlier service, whose rows have no expiry and no
// claims. Run it before the first traffic: until a row is upgraded, a Register of
// its token by another user does not take the token away, and messages to both
// users reach the device.
//
//   - A row without an expiry gets the later of UpdatedAt + TTL and 30 days from
//     now.
//   - A row that does not hold the claim on its token gets it. If another live
//     row has the same token, one of the two is removed; see [Duplicate].
//   - An expired row is left to TTL, and a row that cannot be decoded is
//     reported. A claim that no row holds expires.
//
// The earlier service must have stopped writing. Upgrade changes a row only if it
// did not change since it was read, and otherwise reads it again. Stores of this
// package may therefore write to the table, and several Upgrades may run at the
// same time. Running Upgrade again changes nothing.
//
// Errors are those of [store.Store]. The report is valid also with an error. To
// resume, use its Cursor: the unfinished pages are repeated.
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

// Repair makes a table consistent that was restored from a backup. A backup may
// contain half of a transaction: a registration without its claim, or two
// registrations with one token. Run Repair before the first traffic. It is the same
// as [Upgrade].
func Repair(ctx context.Context, c UpgradeClient, table string, opts UpgradeOptions) (UpgradeReport, error) {
	return Upgrade(ctx, c, table, opts)
}

// An upgrade is one call of Upgrade.
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
	if opts.PageSize == 0 {
		opts.PageSize = defaultPageSize
	}
	if opts.Segments == 0 {
		opts.Segments = defaultSegments
	}
	if opts.Resume == "" {
		open = newSegments(int32(opts.Segments))
	}
	return &upgrade{
		store: s, client: c, opts: opts, began: time.Now(),
		open: open, report: UpgradeReport{Cursor: opts.Resume},
		seen: make(map[tokens.Hash]contender),
	}, nil
}

// run walks the segments concurrently. After an error in one segment, the others
// finish their current row.
func (u *upgrade) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var segments sync.WaitGroup
	for _, p := range slices.Clone(u.open) {
		segments.Go(func() {
			w := segmentWalk{upgrade: u, op: u.store.beginWrite("upgrade"), segment: p.segment, running: running}
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

// A segmentWalk is the upgrade of one segment.
type segmentWalk struct {
	*upgrade
	op      *operation
	segment int32
	running context.Context // ends when another segment fails
}

func (w *segmentWalk) run(ctx context.Context) error {
	for w.running.Err() == nil {
		w.mu.Lock()
		at := w.open.at(w.segment)
		w.mu.Unlock()
		items, next, err := w.op.scan(ctx, w.client, at, w.opts.PageSize)
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

// pageDone records that a page is done, and reports whether it was the last one.
func (w *segmentWalk) pageDone(next item) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = w.open.advance(w.segment, next)
	w.report.Cursor = w.open.cursor()
	w.report.ReadUnits += w.op.event.ReadUnits
	w.report.WriteUnits += w.op.event.WriteUnits
	w.op.event.ReadUnits, w.op.event.WriteUnits = 0, 0
	if w.opts.Progress != nil {
		w.opts.Progress(w.report)
	}
	return len(next) == 0
}

// stopped returns the error of a walk that ended early, and nil if another segment
// failed.
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

// add adds the counts of one row.
func (r *UpgradeReport) add(found UpgradeReport) {
	r.Rows += found.Rows
	r.Expired += found.Expired
	r.WithoutExpiry += found.WithoutExpiry
	r.Unclaimed += found.Unclaimed
	r.Duplicates = append(r.Duplicates, found.Duplicates...)
	r.Unreadable = append(r.Unreadable, found.Unreadable...)
}
