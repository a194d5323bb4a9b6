package dynamostore

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
)

// openSegments has the positions in the unfinished segments of a parallel scan.
type openSegments []scanPosition

func newSegments(n int32) openSegments {
	open := make(openSegments, n)
	for i := range open {
		open[i] = scanPosition{segment: int32(i), segments: n}
	}
	return open
}

func (s openSegments) at(segment int32) scanPosition {
	return s[slices.IndexFunc(s, func(p scanPosition) bool { return p.segment == segment })]
}

// advance returns the positions after a page of the segment. An empty key ends the
// segment.
func (s openSegments) advance(segment int32, next item) openSegments {
	n := slices.IndexFunc(s, func(p scanPosition) bool { return p.segment == segment })
	if len(next) == 0 {
		return slices.Delete(s, n, n+1)
	}
	s[n].after = row{item: next}.key()
	return s
}

// cursorSeparator does not occur in a [store.Cursor].
const cursorSeparator = "."

// cursor encodes all positions; "" if there are none.
func (s openSegments) cursor() string {
	var all []string
	for _, p := range s {
		all = append(all, string(p.cursor()))
	}
	return strings.Join(all, cursorSeparator)
}

var errCursor = errors.New("dynamostore: UpgradeOptions.Resume is not the Cursor of a report")

// parseSegments decodes the result of cursor. The text is not empty.
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

// scan returns the items of a page and the key at which the next page begins.
func (op *operation) scan(ctx context.Context, c WalkerClient, p scanPosition, limit int32) (items []item, next item, err error) {
	in := &dynamodb.ScanInput{
		TableName:              &op.store.table,
		ConsistentRead:         ptr(true),
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
	op.countRead(out.ConsumedCapacity)
	return out.Items, out.LastEvaluatedKey, nil
}
