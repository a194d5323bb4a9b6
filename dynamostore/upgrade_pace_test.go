package dynamostore_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
)

// pages answers Scan with so many pages of so many rows that nobody can read,
// and has no other call.
type pages struct {
	dynamostore.UpgradeClient
	left, rows int
}

func (p *pages) Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	p.left--
	var out dynamodb.ScanOutput
	for i := range p.rows {
		out.Items = append(out.Items, map[string]types.AttributeValue{
			"userId":   &types.AttributeValueMemberS{Value: fmt.Sprintf("user-%d-%d", p.left, i)},
			"deviceId": &types.AttributeValueMemberS{Value: "phone"},
		})
	}
	if p.left > 0 {
		out.LastEvaluatedKey = out.Items[p.rows-1]
	}
	return &out, nil
}

func TestUpgradeKeepsToItsRate(t *testing.T) {
	for _, tt := range []struct {
		rate float64
		want time.Duration
	}{
		{0, 0},
		{10, 9 * time.Second}, // ten pages of ten rows; nothing waits after the last
		{0.5, 180 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			report, err := dynamostore.Upgrade(t.Context(), &pages{left: 10, rows: 10}, "table",
				dynamostore.UpgradeOptions{RowsPerSecond: tt.rate})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Unreadable) != 100 {
				t.Errorf("%d rows were read, want 100", len(report.Unreadable))
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("at %v rows a second it took %v, want %v", tt.rate, took, tt.want)
			}
		})
	}
}
