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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func TestUpgradeResumes(t *testing.T) {
	u := newUpgradeTable(t)
	const rows = 25
	for i := range rows {
		u.put(fmt.Sprintf("user-%02d", i), "phone", fmt.Sprintf("ExponentPushToken[%d]", i), upgradeNow)
	}
	ctx, stop := context.WithCancel(t.Context())
	pages := 0
	first, err := dynamostore.Upgrade(ctx, u.client, u.table, dynamostore.UpgradeOptions{
		Policy: u.policy(), PageSize: 4, Segments: 1,
		Progress: func(dynamostore.UpgradeReport) {
			if pages++; pages == 3 {
				stop()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || first.Cursor == "" {
		t.Fatalf("interrupted: %v, cursor %q; want %v and a cursor", err, first.Cursor, context.Canceled)
	}
	second := u.mustUpgrade(dynamostore.UpgradeOptions{Resume: first.Cursor, PageSize: 4})
	if second.Cursor != "" {
		t.Error("there is a cursor at the end")
	}
	// The claims that the first run made are scanned, but are no rows.
	if got := first.Unclaimed + second.Unclaimed; got != rows {
		t.Errorf("%d rows got their claims, want %d", got, rows)
	}
	if last := u.mustUpgrade(dynamostore.UpgradeOptions{}); last.Rows != rows || last.Unclaimed != 0 {
		t.Errorf("afterwards %d rows, %d of them unclaimed; want %d and 0", last.Rows, last.Unclaimed, rows)
	}
}

// TestUpgradeResumesSegments loses the table again and again, after a few requests
// each time. In the end every row is upgraded, and no row was scanned that had
// been done.
func TestUpgradeResumesSegments(t *testing.T) {
	u := newUpgradeTable(t)
	const rows = 60
	for i := range rows {
		u.put(fmt.Sprintf("user-%02d", i), "phone", fmt.Sprintf("ExponentPushToken[%d]", i), upgradeNow)
	}
	cursor, runs := "", 0
	for {
		runs++
		var requests atomic.Int64
		c := dynamotest.Client(t, dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1) > 40 {
				return dynamotest.Failure(r, 400, "ThrottlingException", ""), nil
			}
			return http.DefaultTransport.RoundTrip(r)
		}), dynamotest.NoRetries)
		report, err := dynamostore.Upgrade(t.Context(), c, u.table, dynamostore.UpgradeOptions{
			Policy: u.policy(), Segments: 4, PageSize: 2, Resume: cursor,
		})
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrTryAgain) || report.Cursor == cursor || runs > rows {
			t.Fatalf("run %d: %v; the cursor has moved: %v", runs, err, report.Cursor != cursor)
		}
		cursor = report.Cursor
	}
	t.Logf("%d runs", runs)
	if diff := cmp.Diff(dynamostore.UpgradeReport{Rows: rows}, u.mustUpgrade(dynamostore.UpgradeOptions{})); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

// pages answers Scan of any segment with so many pages of so many rows. The
// rows are undecodable if a call takes no time; otherwise each is upgraded in two
// calls.
type pages struct {
	dynamostore.UpgradeClient
	mu         sync.Mutex
	left, rows int
	call       time.Duration
}

func (p *pages) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	time.Sleep(p.call)
	return &dynamodb.GetItemOutput{}, nil
}

func (p *pages) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	time.Sleep(p.call)
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (p *pages) Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return &dynamodb.ScanOutput{}, nil
	}
	p.left--
	var out dynamodb.ScanOutput
	for i := range p.rows {
		out.Items = append(out.Items, map[string]types.AttributeValue{
			"userId":   &types.AttributeValueMemberS{Value: fmt.Sprintf("user-%d-%d", p.left, i)},
			"deviceId": &types.AttributeValueMemberS{Value: "phone"},
		})
		if p.call > 0 {
			out.Items[i] = legacyRow(key(fmt.Sprintf("user-%d-%d", p.left, i), "phone"),
				tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%d-%d]", p.left, i)))
		}
	}
	if p.left > 0 {
		out.LastEvaluatedKey = out.Items[p.rows-1]
	}
	return &out, nil
}

// TestUpgradeSpeed upgrades 1,600 rows where a call takes 5 ms, as on AWS: 100 rows
// a second in each segment.
func TestUpgradeSpeed(t *testing.T) {
	for segments, want := range map[int]time.Duration{1: 16 * time.Second, 0: time.Second, 4: 4 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			report, err := dynamostore.Upgrade(t.Context(), &pages{left: 16, rows: 100, call: 5 * time.Millisecond}, "table",
				dynamostore.UpgradeOptions{Segments: segments})
			if err != nil || report.Unclaimed != 1_600 {
				t.Fatalf("%d rows were upgraded, %v", report.Unclaimed, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("Segments %d: it took %v, want %v", segments, took, want)
			}
		})
	}
}

func TestUpgradeKeepsToItsRate(t *testing.T) {
	for _, tt := range []struct {
		segments int
		rate     float64
		want     time.Duration
	}{
		{1, 0, 0},
		{1, 10, 9 * time.Second}, // ten pages of ten rows; nothing waits after the last
		{1, 0.5, 180 * time.Second},
		{0, 0.5, 180 * time.Second}, // all segments together
		{3, 10, 9 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			report, err := dynamostore.Upgrade(t.Context(), &pages{left: 10, rows: 10}, "table",
				dynamostore.UpgradeOptions{Segments: tt.segments, RowsPerSecond: tt.rate})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Unreadable) != 100 {
				t.Errorf("%d rows were read, want 100", len(report.Unreadable))
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("%d segments at %v rows a second took %v, want %v", tt.segments, tt.rate, took, tt.want)
			}
		})
	}
}
