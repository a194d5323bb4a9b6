package dynamotest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func n(v int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(v)} }

// The claim on ExponentPushToken[a], which is SHA-256 of "a".
const claimOfA = "#claim#1#ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs"

func registration(user string) Item {
	return Item{
		"userId": s(user), "deviceId": s("phone"), "expoPushToken": s("ExponentPushToken[a]"),
		"expiresAt": n(2000), "claimExpiresAt": n(3000), "claimVersion": s("v1"),
	}
}

func claim(owner string) Item {
	return Item{
		"userId": s(claimOfA), "deviceId": s("#"), "ownerUserId": s(owner), "ownerDeviceId": s("phone"),
		"version": s("v1"), "expiresAt": n(3000),
	}
}

// with returns a copy of i with another attribute, or without it if v is nil.
func with(i Item, name string, v types.AttributeValue) Item {
	i = maps.Clone(i)
	i[name] = v
	if v == nil {
		delete(i, name)
	}
	return i
}

// TestCheckInvariants: each violation has one complaint.
func TestCheckInvariants(t *testing.T) {
	const now = 1000
	ofU, ofW, claimOfU, claimOfW := registration("u"), registration("w"), claim("u"), claim("w")
	expired := with(ofU, "expiresAt", n(now))
	tests := []struct {
		name  string
		items []Item
		want  []string // a part of each complaint, sorted
	}{
		{"nothing stored", nil, nil},
		{"a registration with its claim", []Item{ofU, claimOfU}, nil},
		{"a claim that was left behind", []Item{claimOfU}, nil},
		{"an expired row without a claim", []Item{expired}, nil},
		{"an expired row whose token another has", []Item{expired, ofW, claimOfW}, nil},
		{"older rows with one token", []Item{with(ofU, "claimVersion", nil), with(ofW, "claimVersion", nil)}, nil},
		{"no claim", []Item{ofU}, []string{"no claim"}},
		{"no claim in its last second", []Item{with(ofU, "expiresAt", n(now+1))}, []string{"no claim"}},
		{"two with one token, in two spellings", []Item{with(ofU, "expoPushToken", s("ExpoPushToken[a]")), ofW, claimOfW},
			[]string{`claim on its token is that of "w/phone"`, "have one token"}},
		{"another's claim", []Item{ofU, claimOfW}, []string{`that of "w/phone"`}},
		{"another version", []Item{ofU, with(claimOfU, "version", s("v2"))}, []string{"version"}},
		{"the claim expires sooner", []Item{ofU, with(claimOfU, "expiresAt", n(2999))}, []string{"2999"}},
		{"the claim expires later", []Item{ofU, with(claimOfU, "expiresAt", n(3001))}, []string{"3001"}},
		{"the claim expires with the registration", []Item{with(ofU, "claimExpiresAt", n(2000)), with(claimOfU, "expiresAt", n(2000))}, []string{"not later"}},
		{"no token", []Item{with(ofU, "expoPushToken", n(1))}, []string{"lacks its token"}},
		{"no expiry", []Item{with(ofU, "expiresAt", s("2000"))}, []string{"its expiry"}},
		{"half a claim", []Item{with(claimOfU, "ownerUserId", nil)}, []string{"lacks its owner"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := CheckInvariants(tt.items, time.Unix(now, 0))
			same := func(want, got string) bool { return strings.Contains(got, want) }
			if !slices.EqualFunc(tt.want, got, same) {
				t.Errorf("got %q, want complaints with %q", got, tt.want)
			}
		})
	}
}
