package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// manyRows returns rows of the earlier service, each of another user.
func manyRows(name string, n int) []dynamotest.Item {
	var rows []dynamotest.Item
	for i := range n {
		id := fmt.Sprintf("%s-%02d", name, i)
		rows = append(rows, legacyRow(key(id, "phone"), token(id)))
	}
	return rows
}

// TestUpgradeResumes fails every run after a few requests. The cursor moves in each, and
// in the end every row got its claim once.
func TestUpgradeResumes(t *testing.T) {
	w := newWorld(t, store.Policy{})
	const rows = 40
	w.put(manyRows("user", rows)...)
	cursor, unclaimed, pages := "", 0, 0
	for run := 1; ; run++ {
		var requests atomic.Int64
		c := dynamotest.Client(t, dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1) > 40 {
				return failure(400, "ThrottlingException")(r), nil
			}
			return http.DefaultTransport.RoundTrip(r)
		}), dynamotest.NoRetries)
		report, err := dynamostore.Upgrade(t.Context(), c, w.table, dynamostore.UpgradeOptions{
			Policy: w.policy, Segments: 4, PageSize: 2, Resume: cursor,
			Progress: func(dynamostore.UpgradeReport) { pages++ },
		})
		unclaimed += report.Unclaimed
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrTryAgain) || report.Cursor == cursor || run > rows {
			t.Fatalf("run %d: %v; the cursor has moved: %v", run, err, report.Cursor != cursor)
		}
		cursor = report.Cursor
	}
	if unclaimed < rows || pages < rows/2 {
		t.Errorf("%d rows got claims in %d pages, want %d or more", unclaimed, pages, rows)
	}
	equal(t, "report", dynamostore.UpgradeReport{Rows: rows}, w.upgrade(dynamostore.UpgradeOptions{}))
}

// A slowTable answers Scan of any segment with the next page. Other calls take a while.
type slowTable struct {
	dynamostore.UpgradeClient
	call time.Duration

	mu    sync.Mutex
	pages [][]dynamotest.Item
}

func (s *slowTable) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	time.Sleep(s.call)
	return &dynamodb.GetItemOutput{}, nil
}

func (s *slowTable) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	time.Sleep(s.call)
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (s *slowTable) Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out dynamodb.ScanOutput
	if len(s.pages) > 0 {
		out.Items, s.pages = s.pages[0], s.pages[1:]
	}
	if len(s.pages) > 0 {
		out.LastEvaluatedKey = keyItem(keyOf(out.Items[0]))
	}
	return &out, nil
}

// TestUpgradeSpeed upgrades 320 rows. If a call takes 5 ms, as on AWS, each segment
// upgrades 100 rows a second. With a rate, all segments together keep to it; the first
// and the last page wait for nothing.
func TestUpgradeSpeed(t *testing.T) {
	const call = 5 * time.Millisecond
	for _, tt := range []struct {
		segments int
		call     time.Duration
		rate     float64
		want     time.Duration
	}{
		{1, call, 0, 3200 * time.Millisecond},
		{0, call, 0, 200 * time.Millisecond}, // 16 segments
		{4, call, 0, 800 * time.Millisecond},
		{1, 0, 0, 0},
		{1, 0, 10, 30 * time.Second},
		{1, 0, 0.5, 600 * time.Second},
		{0, 0, 0.5, 600 * time.Second},
		{3, 0, 10, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			table := &slowTable{call: tt.call}
			for n := range 16 {
				table.pages = append(table.pages, manyRows(fmt.Sprint(n), 20))
			}
			began := time.Now()
			report, err := dynamostore.Upgrade(t.Context(), table, "table", dynamostore.UpgradeOptions{Segments: tt.segments, RowsPerSecond: tt.rate})
			if err != nil || report.Unclaimed != 320 {
				t.Fatalf("%d rows were upgraded, %v", report.Unclaimed, err)
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("%d segments at %v rows a second took %v, want %v", tt.segments, tt.rate, took, tt.want)
			}
		})
	}
}
