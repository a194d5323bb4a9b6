package dynamotest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func n(v int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(v)} }

// The claim on ExponentPushToken[a], which is SHA-256 of "a".
const claimOfA = "#claim#1#ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs"

func registration(user string) item {
	return item{
		"userId": s(user), "deviceId": s("phone"), "expoPushToken": s("ExponentPushToken[a]"),
		"expiresAt": n(2000), "claimExpiresAt": n(3000), "claimVersion": s("v1"),
	}
}

func claim(owner string) item {
	return item{
		"userId": s(claimOfA), "deviceId": s("#"), "ownerUserId": s(owner), "ownerDeviceId": s("phone"),
		"version": s("v1"), "expiresAt": n(3000),
	}
}

// with returns i with one attribute changed, or removed where v is nil.
func with(i item, name string, v types.AttributeValue) item {
	i[name] = v
	if v == nil {
		delete(i, name)
	}
	return i
}

// TestCheckInvariants shows that the check catches what it is for, each time by
// the one sentence that says so.
func TestCheckInvariants(t *testing.T) {
	const now = 1000
	tests := []struct {
		name  string
		items []item
		want  []string // a part of each complaint, sorted
	}{
		{name: "nothing stored"},
		{name: "a registration with its claim", items: []item{registration("u"), claim("u")}},
		{name: "a claim that was left behind", items: []item{claim("u")}},
		{name: "an expired row without a claim", items: []item{with(registration("u"), "expiresAt", n(now))}},
		{name: "an expired row whose token another has", items: []item{
			with(registration("u"), "expiresAt", n(now)), registration("w"), claim("w"),
		}},
		{name: "older rows with one token", items: []item{
			with(registration("u"), "claimVersion", nil), with(registration("w"), "claimVersion", nil),
		}},
		{name: "no claim", items: []item{registration("u")}, want: []string{"no claim"}},
		{name: "no claim in its last second", items: []item{with(registration("u"), "expiresAt", n(now+1))}, want: []string{"no claim"}},
		{
			name:  "two with one token, one spelled otherwise",
			items: []item{with(registration("u"), "expoPushToken", s("ExpoPushToken[a]")), registration("w"), claim("w")},
			want:  []string{`claim on its token is that of "w/phone"`, "have one token"},
		},
		{name: "another's claim", items: []item{registration("u"), claim("w")}, want: []string{`that of "w/phone"`}},
		{name: "another version", items: []item{registration("u"), with(claim("u"), "version", s("v2"))}, want: []string{"version"}},
		{name: "the claim expires sooner", items: []item{registration("u"), with(claim("u"), "expiresAt", n(2999))}, want: []string{"2999"}},
		{name: "the claim expires later", items: []item{registration("u"), with(claim("u"), "expiresAt", n(3001))}, want: []string{"3001"}},
		{
			name: "the claim expires with the registration",
			items: []item{
				with(registration("u"), "claimExpiresAt", n(2000)),
				with(claim("u"), "expiresAt", n(2000)),
			},
			want: []string{"not after that"},
		},
		{name: "no token", items: []item{with(registration("u"), "expoPushToken", n(1))}, want: []string{"lacks its token"}},
		{name: "no expiry", items: []item{with(registration("u"), "expiresAt", s("2000"))}, want: []string{"its expiry"}},
		{name: "half a claim", items: []item{with(claim("u"), "ownerUserId", nil)}, want: []string{"lacks its owner"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := CheckInvariants(tt.items, time.Unix(now, 0))
			if len(got) != len(tt.want) {
				t.Fatalf("(-want +got):\n%s", cmp.Diff(tt.want, got))
			}
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(got, "\n"), want) {
					t.Errorf("no complaint has %q:\n%s", want, cmp.Diff(tt.want, got))
				}
			}
		})
	}
}
