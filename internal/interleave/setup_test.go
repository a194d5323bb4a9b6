package interleave

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const day = 24 * time.Hour

// The clock begins far in the future, so that DynamoDB Local's own TTL removes nothing,
// and within a second.
var begin = time.Date(2051, time.March, 4, 23, 6, 7, 891_000_000, time.UTC)

const maxAttempts = 10

// newServers returns up to three servers with different settings, whose clocks are
// minutes apart.
func (s *schedule) newServers() ([]*server, error) {
	limit := 1 + s.rng.IntN(min(s.devices, 3))
	servers := make([]*server, 1+s.rng.IntN(3))
	for i := range servers {
		skew := time.Duration(s.rng.IntN(9)-4)*time.Minute + time.Duration(s.rng.IntN(3)-1)*time.Second
		if s.rng.IntN(3) == 0 {
			skew = 0
		}
		ttl := []time.Duration{7 * day, 30 * day, 90 * day}[s.rng.IntN(3)]
		var err error
		if servers[i], err = s.newServer(strconv.Itoa(i), store.Policy{TTL: ttl, MaxDevices: limit}, skew); err != nil {
			return nil, err
		}
	}
	return servers, nil
}

// newServer returns a server whose clock is ahead of the true one by skew.
func (s *schedule) newServer(name string, p store.Policy, skew time.Duration) (*server, error) {
	p.Now = func() time.Time { return s.now.Add(skew) }
	st, err := dynamostore.New(s.lane.gated, s.lane.table, dynamostore.Options{Policy: p, MaxAttempts: maxAttempts})
	if err != nil {
		return nil, err
	}
	name = fmt.Sprintf("%s, TTL %s, clock %s", name, p.TTL, skew)
	return &server{Store: st, policy: p, skew: skew, name: name}, nil
}

// claimLife is the lifetime of a claim that a server writes.
func claimLife(p store.Policy) time.Duration { return p.TTL + min(p.TTL, 30*day) }

// leftovers returns rows of the older service, some of which share a token or cannot be
// decoded, and claims without a registration, as TTL or a partial restore may leave.
func (s *schedule) leftovers() []attributes {
	var items []attributes
	for user := range s.users {
		for device := range s.devices {
			if s.rng.IntN(3) == 0 {
				items = append(items, s.olderRow(user, device))
			}
		}
	}
	for _, identity := range s.identities {
		if s.rng.IntN(3) == 0 {
			owner, server := s.randomKey(), s.servers[s.rng.IntN(len(s.servers))]
			items = append(items, s.claimLeftBehind(owner, tokens.MustParseToken(spell(s.rng, identity)), server))
		}
	}
	return items
}

// claimLeftBehind returns a claim that the server wrote within this second.
func (s *schedule) claimLeftBehind(owner tokens.Key, token tokens.Token, by *server) attributes {
	return attributes{
		"userId":        dynamotest.S(claimKey(token)),
		"deviceId":      dynamotest.S("#"),
		"ownerUserId":   dynamotest.S(string(owner.UserID)),
		"ownerDeviceId": dynamotest.S(string(owner.DeviceID)),
		"version":       dynamotest.S("left behind"),
		"expiresAt":     secondsAttr(s.now.Add(by.skew + claimLife(by.policy))),
	}
}

func (s *schedule) olderRow(user, device int) attributes {
	row := attributes{
		"userId":        dynamotest.S(fmt.Sprintf("user%d", user)),
		"deviceId":      dynamotest.S(fmt.Sprintf("device%d", device)),
		"expoPushToken": dynamotest.S(s.randomToken()),
		"platform":      dynamotest.S("ios"),
		"note":          dynamotest.S("not ours"),
	}
	ago := []time.Duration{0, time.Millisecond, time.Hour, 100 * day}[s.rng.IntN(4)]
	for _, name := range []string{"registeredAt", "updatedAt"} {
		if s.rng.IntN(4) > 0 {
			row[name] = dynamotest.S(timeText(s.now.Add(-ago)))
		}
	}
	if s.rng.IntN(2) == 0 {
		row["isActive"] = &types.AttributeValueMemberBOOL{Value: s.rng.IntN(2) == 0}
	}
	if s.rng.IntN(6) == 0 {
		spoil(s.rng, row)
	}
	return row
}

func spoil(rng *rand.Rand, row attributes) {
	switch rng.IntN(3) {
	case 0:
		row["platform"] = dynamotest.S("web")
	case 1:
		row["expoPushToken"] = dynamotest.N("1")
	case 2:
		row["expiresAt"] = dynamotest.S("never")
	}
}

// A lane plays schedules, one after the other, on its own table.
type lane struct {
	t      testing.TB
	ctx    context.Context
	gate   *gate
	gated  *dynamodb.Client // of the servers
	client *dynamodb.Client // of the schedule
	table  string
}

func newLane(t testing.TB) *lane {
	g := &gate{next: http.DefaultTransport, arrived: make(chan *operation)}
	l := &lane{
		t: t, ctx: t.Context(), gate: g,
		gated:  dynamotest.Client(t, g, dynamotest.NoRetries),
		client: dynamotest.Client(t, nil),
	}
	l.table = dynamotest.Table(t, l.client)
	return l
}

// play plays the schedule of a seed. Its error has the trace.
func (l *lane) play(seed uint64) (*schedule, error) {
	s := &schedule{lane: l, rng: rand.New(rand.NewPCG(seed, 0)), now: begin}
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
		err = fmt.Errorf("%w\ntrace:\n%s", err, s.story())
	}
	return s, err
}

func (l *lane) scan() *table { return newTable(dynamotest.Scan(l.t, l.client, l.table)) }

func (l *lane) clear() error {
	var writes []types.WriteRequest
	for _, i := range l.scan().items {
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{
			Key: attributes{"userId": i["userId"], "deviceId": i["deviceId"]},
		}})
	}
	return l.write(writes)
}

func (l *lane) put(items []attributes) error {
	var writes []types.WriteRequest
	for _, i := range items {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}})
	}
	return l.write(writes)
}

// write sends one batch: the table has fewer than its maximum of 25 items.
func (l *lane) write(writes []types.WriteRequest) error {
	if len(writes) == 0 {
		return nil
	}
	_, err := l.client.BatchWriteItem(l.ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{l.table: writes},
	})
	return err
}
