package sidebyside

import (
	"cmp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/tokens"
)

// sameRows compares all that is stored: what memstore says of each key with the
// attributes of the item under it, which this reads by itself, and what either
// says of each token. The claims have to keep their invariants.
func (m *machine) sameRows(t *rapid.T, tb testing.TB) {
	ctx := tb.Context()
	items := dynamotest.Scan(tb, m.client, m.table)
	for _, wrong := range dynamotest.CheckInvariants(items, m.now) {
		t.Error(wrong)
	}
	stored := map[tokens.Key]map[string]string{}
	for _, i := range items {
		if live := seconds(i) > m.now.Unix(); live && !strings.HasPrefix(text(i, "userId"), "#") {
			stored[tokens.Key{UserID: tokens.UserID(text(i, "userId")), DeviceID: tokens.DeviceID(text(i, "deviceId"))}] = attributes(i)
		}
	}
	want := map[tokens.Key]map[string]string{}
	for _, user := range users[:len(users)-1] {
		for _, device := range devices[:len(devices)-1] {
			key := tokens.Key{UserID: user, DeviceID: device}
			reg, err := m.model.Get(ctx, key)
			if err == nil {
				want[key] = expected(reg)
			}
			m.sameAnswer(t, "Get", reg, err, func() (tokens.Registration, error) { return m.real.Get(ctx, key) })
		}
	}
	if diff := gocmp.Diff(want, stored); diff != "" {
		t.Fatalf("rows (-memstore +dynamostore):\n%s", diff)
	}
	total.Rows += len(want)
	for n := range tokenCount {
		reg, err := m.model.Holder(ctx, spelled(n, 0).Hash())
		m.sameAnswer(t, "Holder", reg, err, func() (tokens.Registration, error) { return m.real.Holder(ctx, spelled(n, 1).Hash()) })
	}
	total.Sequences++
}

func (m *machine) sameAnswer(t *rapid.T, what string, want tokens.Registration, wantErr error, call func() (tokens.Registration, error)) {
	got, err := call()
	if diff := gocmp.Diff(describe(wantErr), describe(err)); diff != "" {
		t.Fatalf("%s in the end: error (-want +got):\n%s", what, diff)
	}
	if diff := gocmp.Diff(want, got, exactly); diff != "" {
		t.Fatalf("%s in the end (-want +got):\n%s", what, diff)
	}
	total.Compared++
}

// expected is what the item of a registration says beside its claim, with the
// token's hash in place of the token: a difference is printed.
func expected(r tokens.Registration) map[string]string {
	const milliseconds = "2006-01-02T15:04:05.000Z07:00"
	want := map[string]string{
		"expoPushToken": r.Token.String(), "spelling": shape(r.Token), "platform": string(r.Platform),
		"registeredAt": r.RegisteredAt.UTC().Format(milliseconds), "updatedAt": r.UpdatedAt.UTC().Format(milliseconds),
		"isActive": strconv.FormatBool(r.Active()), "expiresAt": strconv.FormatInt(r.ExpiresAt.Unix(), 10),
	}
	if r.ProjectID != "" {
		want["projectId"] = string(r.ProjectID)
	}
	if !r.Active() {
		want["inactiveReason"] = string(r.Status)
	}
	return want
}

func attributes(i dynamotest.Item) map[string]string {
	got := map[string]string{}
	for _, name := range []string{"platform", "registeredAt", "updatedAt", "projectId", "inactiveReason"} {
		if _, ok := i[name]; ok {
			got[name] = text(i, name)
		}
	}
	if token, err := tokens.ParseToken(text(i, "expoPushToken")); err == nil {
		got["expoPushToken"], got["spelling"] = token.String(), shape(token)
	}
	if active, ok := i["isActive"].(*types.AttributeValueMemberBOOL); ok {
		got["isActive"] = strconv.FormatBool(active.Value)
	}
	got["expiresAt"] = strconv.FormatInt(seconds(i), 10)
	return got
}

// shape is how a token is spelled.
func shape(t tokens.Token) string {
	before, _, bracketed := strings.Cut(t.Reveal(), "[")
	if !bracketed {
		return "bare"
	}
	return before
}

func text(i dynamotest.Item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// seconds is when an item expires.
func seconds(i dynamotest.Item) int64 {
	if v, ok := i["expiresAt"].(*types.AttributeValueMemberN); ok {
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	}
	return 0
}

func byKey(a, b dynamotest.Item) int {
	return cmp.Or(cmp.Compare(text(a, "userId"), text(b, "userId")), cmp.Compare(text(a, "deviceId"), text(b, "deviceId")))
}
