package interleave

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// A Lane plays schedules, one after the other, on a table of its own.
type Lane struct {
	t      testing.TB
	ctx    context.Context
	gate   *gate
	gated  *dynamodb.Client // of the servers
	client *dynamodb.Client // of the schedule
	table  string
}

// NewLane connects to DynamoDB Local.
func NewLane(t testing.TB) *Lane {
	g := &gate{next: http.DefaultTransport, arrived: make(chan *operation)}
	l := &Lane{
		t: t, ctx: t.Context(), gate: g,
		gated:  dynamotest.Client(t, g, dynamotest.NoRetries),
		client: dynamotest.Client(t, nil),
	}
	l.table = dynamotest.Table(t, l.client)
	return l
}

// Play plays the schedule of a seed. The error says what went wrong, and all
// that happened until then.
func (l *Lane) Play(seed uint64) (Figures, error) {
	s := &schedule{lane: l, rng: rand.New(rand.NewPCG(seed, 0)), now: begin, figures: Figures{Schedules: 1}}
	s.users, s.devices = 1+s.rng.IntN(3), 1+s.rng.IntN(4)
	s.identities = identities[:1+s.rng.IntN(len(identities))]
	s.jumps = []int{0, 5, 10}[s.rng.IntN(3)]
	s.faults = []int{0, 10, 20}[s.rng.IntN(3)]
	s.chooseMethods()
	err := l.clear()
	if err == nil {
		s.servers, err = s.newServers()
	}
	if err == nil {
		err = l.put(s.leftovers())
	}
	if err == nil {
		err = s.play()
	}
	if err != nil {
		err = fmt.Errorf("%w\nwhat happened:\n%s", err, s.story())
	}
	s.figures.Steps = len(s.trace)
	return s.figures, err
}

func (l *Lane) scan() *table { return newTable(byKey(dynamotest.Scan(l.t, l.client, l.table))) }

func (l *Lane) clear() error {
	var writes []types.WriteRequest
	for _, i := range l.scan().items {
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{
			Key: attributes{"userId": i["userId"], "deviceId": i["deviceId"]},
		}})
	}
	return l.write(writes)
}

func (l *Lane) put(items []attributes) error {
	var writes []types.WriteRequest
	for _, i := range items {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}})
	}
	return l.write(writes)
}

// write needs no second batch: a table of few users and tokens has fewer than 25
// items, which is the most that one may have.
func (l *Lane) write(writes []types.WriteRequest) error {
	if len(writes) == 0 {
		return nil
	}
	_, err := l.client.BatchWriteItem(l.ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{l.table: writes},
	})
	return err
}
