package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	table      = "device-tokens"
	timeFormat = "2006-01-02T15:04:05.000Z07:00"
	ttl        = 90 * 24 * time.Hour
)

// before returns the listed user's registrations, all a day old. The first one is
// refreshed.
func before() []tokens.Registration {
	regs := make([]tokens.Registration, devices)
	for i := range regs {
		regs[i] = refreshed(request(0, i, i), now.Add(-40*24*time.Hour))
		regs[i].UpdatedAt = regs[i].UpdatedAt.Add(-24 * time.Hour)
		regs[i].ExpiresAt = regs[i].ExpiresAt.Add(-24 * time.Hour)
	}
	return regs
}

// refreshing is the refresh that is measured. Its strings are allocated once.
var refreshing = request(0, 0, 0)

// refreshed returns the registration after the refresh.
func refreshed(r tokens.Request, registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key: r.Key, Token: r.Token, Platform: r.Platform, ProjectID: r.ProjectID, Status: tokens.Active,
		RegisteredAt: registeredAt, UpdatedAt: now, ExpiresAt: now.Add(ttl).Truncate(time.Second),
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func flag(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func seconds(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.Unix(), 10)}
}

// item returns the attributes of an active registration without those of its claim.
func item(r tokens.Registration) dynamotest.Item {
	return dynamotest.Item{
		"userId": text(string(r.Key.UserID)), "deviceId": text(string(r.Key.DeviceID)),
		"expoPushToken": text(r.Token.Reveal()), "platform": text(string(r.Platform)), "projectId": text(string(r.ProjectID)),
		"isActive": flag(true), "registeredAt": text(r.RegisteredAt.Format(timeFormat)), "updatedAt": text(r.UpdatedAt.Format(timeFormat)),
		"expiresAt": seconds(r.ExpiresAt),
	}
}

// canned returns a client with default settings and canned responses. sent, if not nil,
// is called with each request.
func canned(sent func(operation string, body []byte)) *dynamodb.Client {
	var rows []string
	for _, r := range before() {
		i := item(r)
		maps.Copy(i, dynamotest.Item{"claimVersion": text("k0yA4n0rHjqvDqLdZ2e4bw"), "claimExpiresAt": seconds(r.ExpiresAt.Add(30 * 24 * time.Hour))})
		rows = append(rows, dynamotest.ItemJSON(i))
	}
	const capacity = `"ConsumedCapacity":{"TableName":"` + table + `","CapacityUnits":1}`
	responses := map[string]string{
		"UpdateItem": `{"Attributes":` + rows[0] + `,` + capacity + `}`,
		"Query":      fmt.Sprintf(`{"Items":[%s],"Count":%d,"ScannedCount":%[2]d,%s}`, strings.Join(rows, ","), devices, capacity),
	}
	return dynamotest.Offline(dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		operation := dynamotest.Operation(r)
		if sent != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			sent(operation, body)
		}
		_, _ = io.Copy(io.Discard, r.Body) // as a connection does
		_ = r.Body.Close()
		return dynamotest.Answer(r, http.StatusOK, responses[operation]), nil
	}))
}

// A contender makes the two calls with canned responses.
type contender struct {
	name    string
	refresh func(context.Context) (tokens.Registration, error)
	list    func(context.Context) ([]tokens.Registration, error)
}

// contenders returns the calls by hand, dynamostore and guregu/dynamo, each with its own
// client.
func contenders(sent func(operation string, body []byte)) []contender {
	s, err := dynamostore.New(canned(sent), table, dynamostore.Options{Policy: store.Policy{TTL: ttl, Now: clock}})
	if err != nil {
		panic(err) // the arguments are constants
	}
	r := raw{client: canned(sent)}
	g := guregu{table: dynamo.NewFromIface(canned(sent)).Table(table)}
	return []contender{
		{"sdk", r.refresh, r.list},
		{"dynamostore", func(ctx context.Context) (tokens.Registration, error) {
			result, err := s.Register(ctx, refreshing)
			return result.Registration, err
		}, func(ctx context.Context) ([]tokens.Registration, error) { return s.List(ctx, refreshing.Key.UserID) }},
		{"guregu", g.refresh, g.list},
	}
}

// raw makes the calls of the SDK by hand, for these two requests only: constant
// expressions, which are allocated once, a map of values and a specific decoder.
type raw struct {
	client *dynamodb.Client
}

var (
	rawTable  = aws.String(table)
	rawUpdate = aws.String("REMOVE #r\n" +
		"SET #t = :t, #p = :p, #u = :u, #e = :e, #a = :a, #j = :j, #f = if_not_exists(#f, :u)\n")
	rawCondition   = aws.String("((#t IN (:0, :1, :2)) AND (#e > :n)) AND (#c >= :c)")
	rawUpdateNames = map[string]string{
		"#r": "inactiveReason", "#t": "expoPushToken", "#p": "platform", "#u": "updatedAt", "#e": "expiresAt",
		"#a": "isActive", "#j": "projectId", "#f": "registeredAt", "#c": "claimExpiresAt",
	}

	rawKey    = aws.String("#u = :u")
	rawFilter = aws.String("((attribute_not_exists (#a)) OR (#a <> :i)) AND " +
		"((attribute_not_exists (#e)) OR (NOT (#e <= :n)))")
	rawListNames  = map[string]string{"#u": "userId", "#a": "isActive", "#e": "expiresAt"}
	rawConsistent = aws.Bool(true)
)

// otherSpelling returns the other spelling of a token in brackets.
func otherSpelling(token string) string {
	return "ExpoPushToken[" + strings.TrimPrefix(token, "ExponentPushToken[")
}

func (r raw) refresh(ctx context.Context) (tokens.Registration, error) {
	req := refreshing
	expiresAt, spelling := now.Add(ttl), req.Token.Reveal()
	other := otherSpelling(spelling)
	out, err := r.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                rawTable,
		Key:                      dynamotest.Item{"userId": text(string(req.Key.UserID)), "deviceId": text(string(req.Key.DeviceID))},
		UpdateExpression:         rawUpdate,
		ConditionExpression:      rawCondition,
		ExpressionAttributeNames: rawUpdateNames,
		ExpressionAttributeValues: dynamotest.Item{
			":t": text(spelling), ":p": text(string(req.Platform)), ":u": text(now.Format(timeFormat)), ":e": seconds(expiresAt),
			":a": flag(true), ":j": text(string(req.ProjectID)), ":0": text(spelling), ":1": text(other), ":2": text(other),
			":n": seconds(now), ":c": seconds(expiresAt.Add(24 * time.Hour)),
		},
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return tokens.Registration{}, err
	}
	old, err := decode(out.Attributes)
	return refreshed(req, old.RegisteredAt), err
}

func (r raw) list(ctx context.Context) ([]tokens.Registration, error) {
	return query(ctx, r.client, &dynamodb.QueryInput{
		TableName:                 rawTable,
		KeyConditionExpression:    rawKey,
		FilterExpression:          rawFilter,
		ExpressionAttributeNames:  rawListNames,
		ExpressionAttributeValues: dynamotest.Item{":u": text(string(refreshing.Key.UserID)), ":i": flag(false), ":n": seconds(now)},
		ConsistentRead:            rawConsistent,
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
}

// query returns the registrations of all pages.
func query(ctx context.Context, c *dynamodb.Client, in *dynamodb.QueryInput) ([]tokens.Registration, error) {
	var regs []tokens.Registration
	for {
		out, err := c.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		if regs == nil {
			regs = make([]tokens.Registration, 0, len(out.Items))
		}
		for _, i := range out.Items {
			reg, err := decode(i)
			if err != nil {
				return nil, err
			}
			regs = append(regs, reg)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return regs, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func decode(i dynamotest.Item) (reg tokens.Registration, err error) {
	get := func(name string) string {
		s, ok := i[name].(*types.AttributeValueMemberS)
		if !ok {
			err = cmp.Or(err, fmt.Errorf("attribute %s is no string", name))
			return ""
		}
		return s.Value
	}
	parse := func(name string) time.Time {
		t, parseErr := time.Parse(time.RFC3339Nano, get(name))
		err = cmp.Or(err, parseErr)
		return t
	}
	reg.Key = tokens.Key{UserID: tokens.UserID(get("userId")), DeviceID: tokens.DeviceID(get("deviceId"))}
	reg.Platform, reg.ProjectID = tokens.Platform(get("platform")), tokens.ProjectID(get("projectId"))
	reg.RegisteredAt, reg.UpdatedAt = parse("registeredAt"), parse("updatedAt")
	spelling := get("expoPushToken")
	active, isFlag := i["isActive"].(*types.AttributeValueMemberBOOL)
	expires, isNumber := i["expiresAt"].(*types.AttributeValueMemberN)
	if err != nil || !isFlag || !isNumber {
		return reg, cmp.Or(err, errors.New("attribute isActive or expiresAt has another type"))
	}
	reg.Status = tokens.Active
	if !active.Value {
		reg.Status = tokens.Inactive
	}
	n, err := strconv.ParseInt(expires.Value, 10, 64)
	if err != nil {
		return reg, err
	}
	reg.ExpiresAt = time.Unix(n, 0).UTC()
	reg.Token, err = tokens.ParseToken(spelling)
	return reg, err
}
