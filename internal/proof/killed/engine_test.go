package killed

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamodblocal"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/figures"
)

// TestEngine finds out what DynamoDB Local itself keeps when it is killed,
// without the code that is under test: single writes all, and of transactions
// perhaps not the last that it acknowledged, but no half of one.
//
// It does not fail for a lost transaction; [judge] is told which one may be lost.
func TestEngine(t *testing.T) {
	table := figures.Table{Columns: []string{"requests of the SDK alone", "kills", "acknowledged", "lost", "most lost at one kill", "done by half"}}
	for _, kind := range []struct {
		name  string
		items int // in one transaction; 1 is a write without one
	}{{"PutItem", 1}, {"TransactWriteItems of three", 3}} {
		t.Run(kind.name, func(t *testing.T) {
			e := &engine{items: kind.items, Mortal: dynamodblocal.NewMortal(t)}
			e.client = dynamotest.ClientAt(e.URL, dynamotest.NoRetries)
			e.table = dynamotest.Table(t, e.client)
			kills := max(*rounds/2, 1)
			most := 0
			for round := range kills {
				before := e.lost
				e.round(t, round)
				most = max(most, e.lost-before)
			}
			if e.halves > 0 || most > 1 || kind.items == 1 && e.lost > 0 {
				t.Errorf("%d of %d were lost, %d at one kill, and %d were done by half; more than was known", e.lost, e.acked, most, e.halves)
			}
			table.Rows = append(table.Rows, []string{
				kind.name, strconv.Itoa(kills), strconv.Itoa(e.acked), strconv.Itoa(e.lost), strconv.Itoa(most), strconv.Itoa(e.halves),
			})
		})
	}
	recordTable(t, "engine", table)
}

// An engine is written to without package dynamostore.
type engine struct {
	*dynamodblocal.Mortal
	client *dynamodb.Client
	table  string
	items  int

	mu                  sync.Mutex
	acked, lost, halves int
}

// round writes with as many goroutines as the other test, each until a write of
// its fails, kills the engine and counts what is there.
func (e *engine) round(t *testing.T, round int) {
	acked := make(map[string]bool)
	enough := make(chan struct{})
	var writing sync.WaitGroup
	for worker := range workers {
		writing.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", round, worker, n)
				if err := e.write(t, id); err != nil {
					return
				}
				e.mu.Lock()
				if acked[id] = true; len(acked) == 100 {
					close(enough)
				}
				e.mu.Unlock()
			}
		})
	}
	<-enough
	e.Kill()
	writing.Wait()
	e.Restart(t)

	stored := make(map[string]int)
	for _, item := range dynamotest.Scan(t, e.client, e.table) {
		stored[item["userId"].(*types.AttributeValueMemberS).Value]++
	}
	e.acked += len(acked)
	for id := range acked {
		if stored[id] == 0 {
			e.lost++
		}
	}
	for _, n := range stored {
		if n != e.items {
			e.halves++
		}
	}
}

func (e *engine) write(t *testing.T, id string) error {
	var items []types.TransactWriteItem
	for n := range e.items {
		items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: &e.table, Item: map[string]types.AttributeValue{
			"userId":   &types.AttributeValueMemberS{Value: id},
			"deviceId": &types.AttributeValueMemberS{Value: strconv.Itoa(n)},
		}}})
	}
	if len(items) == 1 {
		_, err := e.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &e.table, Item: items[0].Put.Item})
		return err
	}
	_, err := e.client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}
