package dynamostore

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A WalkerClient is the part of the AWS SDK that a [Walker] uses. It needs the IAM action
// Scan. Grant it to operators and not to the service.
type WalkerClient interface {
	Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// A Walker is a [store.Walker] over a table. It is separate from [Store], because it needs a
// permission that a service should not have. It is safe for concurrent use.
//
// A page is one strongly consistent Scan, which takes a read unit for every 4 KiB of
// registrations and claims. Claims count towards the limit of a page and are not returned.
// The segments of a walk are those of a parallel scan.
type Walker struct {
	client WalkerClient
	table  string
}

var _ store.Walker = (*Walker)(nil)

// NewWalker returns a [Walker] over the named table (a name or an ARN). It makes no request.
func NewWalker(c WalkerClient, table string) (*Walker, error) {
	if err := checkArguments(c == nil, table); err != nil {
		return nil, err
	}
	return &Walker{client: c, table: table}, nil
}

// maxSegments is DynamoDB's maximum number of segments.
const maxSegments = 1_000_000

// A scanPosition is a decoded cursor.
type scanPosition struct {
	segment, segments int32
	after             tokens.Key // zero: the start of the segment
}

func (p scanPosition) cursor() store.Cursor {
	if p == (scanPosition{segments: 1}) {
		return ""
	}
	text, err := json.Marshal([]any{p.segment, p.segments, p.after.UserID, p.after.DeviceID})
	if err != nil {
		panic(err) // numbers and strings always encode
	}
	return store.Cursor(base64.RawURLEncoding.EncodeToString(text))
}

func parseScanCursor(c store.Cursor) (scanPosition, error) {
	if c == "" {
		return scanPosition{segments: 1}, nil
	}
	var p scanPosition
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	if err == nil {
		err = json.Unmarshal(text, &[]any{&p.segment, &p.segments, &p.after.UserID, &p.after.DeviceID})
	}
	if err != nil || p.cursor() != c || p.segment < 0 || p.segment >= p.segments || p.segments > maxSegments ||
		(p.after.UserID == "") != (p.after.DeviceID == "") {
		return scanPosition{}, &tokens.InvalidError{Fields: []tokens.FieldError{{Field: store.FieldCursor, Code: tokens.CodeMalformed}}}
	}
	return p, nil
}

// Segments implements [store.Walker]. It makes no request.
func (w *Walker) Segments(ctx context.Context, n int) ([]store.Cursor, error) {
	if err := cmp.Or(store.ValidatePage(n), ctx.Err()); err != nil {
		return nil, err
	}
	var cursors []store.Cursor
	for _, p := range newSegments(int32(min(n, maxSegments))) {
		cursors = append(cursors, p.cursor())
	}
	return cursors, nil
}

// Page implements [store.Walker].
func (w *Walker) Page(ctx context.Context, from store.Cursor, limit int) ([]store.Record, store.Cursor, error) {
	p, err := parseScanCursor(from)
	if err := cmp.Or(tokens.JoinInvalid(err, store.ValidatePage(limit)), ctx.Err()); err != nil {
		return nil, "", err
	}
	op := &operation{store: &Store{table: w.table}}
	items, next, err := op.scan(ctx, w.client, p, int32(min(limit, 1<<31-1)))
	if err != nil {
		return nil, "", err
	}
	var records []store.Record
	for _, i := range items {
		if r := newRow(i); !r.isClaim() {
			records = append(records, r.record())
		}
	}
	if len(next) == 0 {
		return records, "", nil
	}
	p.after = row{item: next}.key()
	return records, p.cursor(), nil
}

// openSegments has the position in each segment of a parallel scan, the zero value if the
// segment ended.
type openSegments []scanPosition

func newSegments(n int32) openSegments {
	open := make(openSegments, n)
	for i := range open {
		open[i] = scanPosition{segment: int32(i), segments: n}
	}
	return open
}

// cursorSeparator does not occur in a [store.Cursor].
const cursorSeparator = "."

func (s openSegments) cursor() string {
	var all []string
	for _, p := range s {
		if p != (scanPosition{}) {
			all = append(all, string(p.cursor()))
		}
	}
	return strings.Join(all, cursorSeparator)
}

var errCursor = errors.New("dynamostore: UpgradeOptions.Resume is not the Cursor of a report")

func parseSegments(text string) (openSegments, error) {
	var open openSegments
	for c := range strings.SplitSeq(text, cursorSeparator) {
		p, err := parseScanCursor(store.Cursor(c))
		if err != nil || len(open) == maxUpgradeSegments {
			return nil, errCursor
		}
		for _, other := range open {
			if p.segments != other.segments || p.segment == other.segment {
				return nil, errCursor
			}
		}
		open = append(open, p)
	}
	return open, nil
}

func (op *operation) scan(ctx context.Context, c WalkerClient, p scanPosition, limit int32) (items []item, next item, err error) {
	in := &dynamodb.ScanInput{
		TableName:              &op.store.table,
		ConsistentRead:         aws.Bool(true),
		Limit:                  &limit,
		Segment:                &p.segment,
		TotalSegments:          &p.segments,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	if !p.after.IsZero() {
		in.ExclusiveStartKey = keyOf(p.after)
	}
	out, err := c.Scan(ctx, in)
	op.event.Calls++
	if err != nil {
		return nil, nil, op.callError(ctx, "Scan", err)
	}
	op.event.ReadUnits += units(out.ConsumedCapacity)
	return out.Items, out.LastEvaluatedKey, nil
}
