package dynamostore

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

// A scan is a walk over the table in segments, which DynamoDB can read side by
// side: each is a part of every partition. It has the position in each segment
// that has not ended.
type scan struct {
	Segments  int32
	Positions []position
}

// A position is the key of the last item that was read in a segment; the key is
// empty at the beginning.
type position struct {
	Segment      int32
	User, Device string
}

// maxUpgradeSegments limits how much a scan does at once. DynamoDB allows a million.
const maxUpgradeSegments = 256

func newScan(segments int32) scan {
	s := scan{Segments: segments}
	for n := range segments {
		s.Positions = append(s.Positions, position{Segment: n})
	}
	return s
}

func (s scan) find(segment int32) int {
	return slices.IndexFunc(s.Positions, func(p position) bool { return p.Segment == segment })
}

// advance moves a segment to the next key; an empty key ends the segment.
func (s *scan) advance(segment int32, next item) {
	n := s.find(segment)
	if len(next) == 0 {
		s.Positions = slices.Delete(s.Positions, n, n+1)
		return
	}
	r := row{item: next}
	s.Positions[n].User, s.Positions[n].Device = r.text(attrUserID), r.text(attrDeviceID)
}

// input reads the next page of a segment.
func (s scan) input(segment int32, table *string, limit int32) *dynamodb.ScanInput {
	in := &dynamodb.ScanInput{
		TableName:              table,
		ConsistentRead:         ptr(true),
		Limit:                  &limit,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	if p := s.Positions[s.find(segment)]; p.User != "" {
		in.ExclusiveStartKey = keyOf(tokens.Key{UserID: tokens.UserID(p.User), DeviceID: tokens.DeviceID(p.Device)})
	}
	if s.Segments > 1 {
		in.Segment, in.TotalSegments = &segment, ptr(s.Segments)
	}
	return in
}

// cursor returns the text of the scan, "" if all segments have ended.
func (s scan) cursor() string {
	if len(s.Positions) == 0 {
		return ""
	}
	text, _ := json.Marshal(s) // numbers and strings always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

var errCursor = errors.New("dynamostore: UpgradeOptions.Resume is not the Cursor of a report")

// parseCursor is the inverse of cursor.
func parseCursor(cursor string) (scan, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return scan{}, errCursor
	}
	var s scan
	if json.Unmarshal(text, &s) != nil || s.Segments < 1 || s.Segments > maxUpgradeSegments || len(s.Positions) == 0 {
		return scan{}, errCursor
	}
	seen := make(map[int32]bool)
	for _, p := range s.Positions {
		if p.Segment < 0 || p.Segment >= s.Segments || seen[p.Segment] || (p.User == "") != (p.Device == "") {
			return scan{}, errCursor
		}
		seen[p.Segment] = true
	}
	return s, nil
}

// scanPage returns the items of a page, and the key where the next one begins.
func (op *operation) scanPage(ctx context.Context, c UpgradeClient, in *dynamodb.ScanInput) (items []item, next item, err error) {
	out, err := c.Scan(ctx, in)
	op.event.Calls++
	if err != nil {
		return nil, nil, op.callError(ctx, "Scan", err)
	}
	op.countRead(out.ConsumedCapacity)
	return out.Items, out.LastEvaluatedKey, nil
}
