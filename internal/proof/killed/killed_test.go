package killed

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamodblocal"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/figures"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	rounds = flag.Int("rounds", 2, "how often the engine is killed")
	record = flag.String("write", "", "`file` to record the figures in")
)

// TestKilled kills the engine under load, once a round.
func TestKilled(t *testing.T) {
	engine := dynamodblocal.NewMortal(t)
	client := dynamotest.ClientAt(engine.URL)
	table := dynamotest.Table(t, client)
	l := newLoad(dynamotest.Store(t, client, table, dynamostore.Options{}))
	began := time.Now()
	stored := 0
	violations, lost := 0, 0
	for round := range *rounds {
		ctx, stop := context.WithCancel(t.Context())
		wait := l.start(ctx)
		l.waitFor(20 + rand.N(100))
		engine.Kill()
		l.killed()
		engine.Restart(t)
		l.waitFor(20 + rand.N(30))
		stop()
		wait()

		items := dynamotest.Scan(t, client, table)
		rows := registrations(t, items)
		found, forgotten := judgeKilled(l.history.writes, rows, l.kills[len(l.kills)-1])
		found = append(dynamotest.CheckInvariants(items, time.Now()), found...)
		if forgotten {
			lost++
		}
		for _, v := range append(found, l.wrong...) {
			t.Errorf("round %d, killed at %v: %s", round+1, l.kills[len(l.kills)-1], v)
		}
		violations += len(found) + len(l.wrong)
		stored += len(rows)
		l.wrong = nil
		l.history.restart(rows)
	}
	row := []string{
		strconv.Itoa(*rounds), strconv.Itoa(l.acked), strconv.Itoa(l.bridged), strconv.Itoa(l.unknown),
		strconv.Itoa(l.reads), strconv.Itoa(stored), strconv.Itoa(lost), strconv.Itoa(violations),
	}
	t.Logf("%d kills in %s: %d writes acknowledged, %d of them across a kill, %d unknown, %d reads, %d rows checked, %d forgotten, %d violations",
		*rounds, time.Since(began).Round(time.Second), l.acked, l.bridged, l.unknown, l.reads, stored, lost, violations)
	recordTable(t, "killed", figures.Table{
		Columns: []string{"kills", "writes acknowledged", "of them begun before a kill", "writes of unknown outcome", "reads", "rows found in all scans", "kills at which the engine forgot one", "violations"},
		Rows:    [][]string{row},
	})
}

// recordTable adds a table to the recorded figures, if they are to be recorded.
func recordTable(t *testing.T, name string, table figures.Table) {
	t.Helper()
	if *record == "" {
		return
	}
	folder, file := filepath.Split(*record)
	result, err := figures.Read(os.DirFS(folder), file)
	if err != nil { // the first time there is none
		result.Tables = make(map[string]figures.Table)
	}
	result.Command, result.Machine = "make killed", figures.Machine()
	result.Tables[name] = table
	if err := result.Write(folder, file); err != nil {
		t.Fatal(err)
	}
}

// TestLossIsNoticed takes from a table, and puts into it, what no call did.
func TestLossIsNoticed(t *testing.T) {
	client := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, client)
	s := dynamotest.Store(t, client, table, dynamostore.Options{})
	h := &history{}
	phone := tokens.MustParseToken("ExponentPushToken[x]")
	alice := tokens.Key{UserID: "alice", DeviceID: "phone"}
	start := h.now()
	if _, err := s.Register(t.Context(), tokens.Request{Key: alice, Token: phone, Platform: tokens.IOS}); err != nil {
		t.Fatal(err)
	}
	h.add(write{kind: register, key: alice, token: phone, start: start, acked: true})

	check := func(want ...string) {
		t.Helper()
		items := dynamotest.Scan(t, client, table)
		got := append(dynamotest.CheckInvariants(items, time.Now()), judge(h.writes, registrations(t, items))...)
		for _, part := range want {
			if !strings.Contains(strings.Join(got, "\n"), part) {
				t.Errorf("no complaint has %q: %q", part, got)
			}
		}
		if len(want) == 0 && got != nil {
			t.Errorf("it complains of what is right: %q", got)
		}
	}
	check()

	for _, item := range dynamotest.Scan(t, client, table) {
		if item["userId"].(*types.AttributeValueMemberS).Value != "alice" {
			continue
		}
		item["userId"] = &types.AttributeValueMemberS{Value: "bob"}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	check("have one token", `claim on its token is that of "alice/phone"`, "no write explains it")

	for _, user := range []string{"alice", "bob"} {
		_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: map[string]types.AttributeValue{
			"userId": &types.AttributeValueMemberS{Value: user}, "deviceId": &types.AttributeValueMemberS{Value: "phone"},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	check("acknowledged, and is gone")
}

// registrations reads the rows of a scan by itself, so as not to share a mistake
// with the store.
func registrations(t *testing.T, items []map[string]types.AttributeValue) (rows []tokens.Registration) {
	t.Helper()
	for _, item := range items {
		text := func(name string) string {
			if v, ok := item[name].(*types.AttributeValueMemberS); ok {
				return v.Value
			}
			return ""
		}
		if strings.HasPrefix(text("userId"), "#") {
			continue
		}
		token, err := tokens.ParseToken(text("expoPushToken"))
		if err != nil {
			t.Errorf("a row without a token: %v", err)
			continue
		}
		status := tokens.Active
		if v, ok := item["isActive"].(*types.AttributeValueMemberBOOL); ok && !v.Value {
			status = map[string]tokens.Status{"logout": tokens.LoggedOut, "device_not_registered": tokens.DeviceNotRegistered}[text("inactiveReason")]
		}
		rows = append(rows, tokens.Registration{
			Key:   tokens.Key{UserID: tokens.UserID(text("userId")), DeviceID: tokens.DeviceID(text("deviceId"))},
			Token: token, Status: status,
		})
	}
	return rows
}
