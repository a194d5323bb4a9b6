package dynamotest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The claim on ExponentPushToken[a], which is SHA-256 of "a".
const claimOfA = "#claim#1#ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs"

func registration(user string) Item {
	return Item{
		"userId": S(user), "deviceId": S("phone"), "expoPushToken": S("ExponentPushToken[a]"),
		"expiresAt": N("2000"), "claimExpiresAt": N("3000"), "claimVersion": S("v1"),
	}
}

func claim(owner string) Item {
	return Item{
		"userId": S(claimOfA), "deviceId": S("#"), "ownerUserId": S(owner), "ownerDeviceId": S("phone"),
		"version": S("v1"), "expiresAt": N("3000"),
	}
}

// TestCheckInvariants: each violation has one complaint.
func TestCheckInvariants(t *testing.T) {
	const now = 1000
	ofU, ofW, claimOfU, claimOfW := registration("u"), registration("w"), claim("u"), claim("w")
	expired := With(ofU, Item{"expiresAt": N("1000")})
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
		{"older rows with one token", []Item{With(ofU, Item{"claimVersion": nil}), With(ofW, Item{"claimVersion": nil})}, nil},
		{"no claim", []Item{ofU}, []string{"no claim"}},
		{"no claim in its last second", []Item{With(ofU, Item{"expiresAt": N("1001")})}, []string{"no claim"}},
		{"two with one token, in two spellings", []Item{With(ofU, Item{"expoPushToken": S("ExpoPushToken[a]")}), ofW, claimOfW},
			[]string{`claim on its token is that of "w/phone"`, "have one token"}},
		{"another's claim", []Item{ofU, claimOfW}, []string{`that of "w/phone"`}},
		{"another version", []Item{ofU, With(claimOfU, Item{"version": S("v2")})}, []string{"version"}},
		{"the claim expires sooner", []Item{ofU, With(claimOfU, Item{"expiresAt": N("2999")})}, []string{"2999"}},
		{"the claim expires later", []Item{ofU, With(claimOfU, Item{"expiresAt": N("3001")})}, []string{"3001"}},
		{"the claim expires with the registration", []Item{With(ofU, Item{"claimExpiresAt": N("2000")}), With(claimOfU, Item{"expiresAt": N("2000")})}, []string{"not later"}},
		{"no token", []Item{With(ofU, Item{"expoPushToken": N("1")})}, []string{"lacks its token"}},
		{"no expiry", []Item{With(ofU, Item{"expiresAt": S("2000")})}, []string{"its expiry"}},
		{"half a claim", []Item{With(claimOfU, Item{"ownerUserId": nil})}, []string{"lacks its owner"}},
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
