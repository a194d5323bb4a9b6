package dynamostore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// upgradeNow is the clock of the upgrade tests.
var upgradeNow = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// An upgradeTable is a table with a clock, as an older service left it.
type upgradeTable struct {
	t      testing.TB
	client *dynamodb.Client
	table  string
	now    time.Time
}

func newUpgradeTable(t testing.TB) *upgradeTable {
	c := dynamotest.Client(t, nil)
	return &upgradeTable{t: t, client: c, table: dynamotest.Table(t, c), now: upgradeNow}
}

func (u *upgradeTable) policy() store.Policy {
	return store.Policy{Now: func() time.Time { return u.now }}
}

func (u *upgradeTable) store() *dynamostore.Store {
	return dynamotest.Store(u.t, u.client, u.table, dynamostore.Options{Policy: u.policy()})
}

func (u *upgradeTable) upgrade(opts dynamostore.UpgradeOptions) (dynamostore.UpgradeReport, error) {
	opts.Policy = u.policy()
	return dynamostore.Upgrade(u.t.Context(), u.client, u.table, opts)
}

func (u *upgradeTable) mustUpgrade(opts dynamostore.UpgradeOptions) dynamostore.UpgradeReport {
	u.t.Helper()
	report, err := u.upgrade(opts)
	if err != nil {
		u.t.Fatal(err)
	}
	report.ReadUnits, report.WriteUnits = 0, 0
	return report
}

// put writes a row as the older service did.
func (u *upgradeTable) put(user, device, token string, updatedAt time.Time, more ...func(map[string]types.AttributeValue)) {
	u.t.Helper()
	const format = "2006-01-02T15:04:05.000Z"
	item := map[string]types.AttributeValue{
		"userId":        &types.AttributeValueMemberS{Value: user},
		"deviceId":      &types.AttributeValueMemberS{Value: device},
		"expoPushToken": &types.AttributeValueMemberS{Value: token},
		"platform":      &types.AttributeValueMemberS{Value: "ios"},
		"registeredAt":  &types.AttributeValueMemberS{Value: updatedAt.Add(-day).Format(format)},
		"updatedAt":     &types.AttributeValueMemberS{Value: updatedAt.Format(format)},
		"isActive":      &types.AttributeValueMemberBOOL{Value: true},
		"appVersion":    &types.AttributeValueMemberS{Value: "7.1"},
	}
	for _, change := range more {
		change(item)
	}
	if _, err := u.client.PutItem(u.t.Context(), &dynamodb.PutItemInput{TableName: &u.table, Item: item}); err != nil {
		u.t.Fatal(err)
	}
}

func key(user, device string) tokens.Key {
	return tokens.Key{UserID: tokens.UserID(user), DeviceID: tokens.DeviceID(device)}
}

func TestUpgradeGivesExpiryAndClaims(t *testing.T) {
	u := newUpgradeTable(t)
	recent, old := upgradeNow.Add(-day), upgradeNow.Add(-300*day)
	u.put("ann", "phone", "ExponentPushToken[ann]", recent)
	u.put("bob", "phone", "ExpoPushToken[bob]", old)

	want := dynamostore.UpgradeReport{Rows: 2, WithoutExpiry: 2, Unclaimed: 2}
	if diff := cmp.Diff(want, u.mustUpgrade(dynamostore.UpgradeOptions{})); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	for token, expiresAt := range map[string]time.Time{
		"ExponentPushToken[ann]": recent.Add(store.DefaultTTL),
		"ExponentPushToken[bob]": upgradeNow.Add(30 * day),
	} {
		reg, err := u.store().Holder(t.Context(), tokens.MustParseToken(token).Hash())
		if err != nil {
			t.Fatalf("Holder: %v", err)
		}
		if !reg.ExpiresAt.Equal(expiresAt) {
			t.Errorf("%s expires at %v, want %v", reg.Key.UserID, reg.ExpiresAt, expiresAt)
		}
	}
	for _, item := range dynamotest.Scan(t, u.client, u.table) {
		if _, ok := item["platform"]; ok && item["appVersion"] == nil {
			t.Error("an attribute that is not ours is gone")
		}
	}
	if diff := cmp.Diff(dynamostore.UpgradeReport{Rows: 2}, u.mustUpgrade(dynamostore.UpgradeOptions{})); diff != "" {
		t.Errorf("second report (-want +got):\n%s", diff)
	}
}

func TestUpgradeKeepsTheLastUpdated(t *testing.T) {
	for _, newest := range []string{"a", "b", "c"} {
		t.Run(newest, func(t *testing.T) {
			u := newUpgradeTable(t)
			spelled := []string{"ExponentPushToken[x]", "ExpoPushToken[x]", "ExponentPushToken[x]"}
			for i, user := range []string{"a", "b", "c"} {
				updatedAt := upgradeNow.Add(time.Duration(i-10) * day)
				if user == newest {
					updatedAt = upgradeNow.Add(-time.Hour)
				}
				u.put(user, "phone", spelled[i], updatedAt)
			}
			// One segment, so that the three rows meet in the same order twice.
			dry := u.mustUpgrade(dynamostore.UpgradeOptions{Segments: 1, DryRun: true})
			if got := len(dynamotest.Scan(t, u.client, u.table)); got != 3 {
				t.Fatalf("the dry run left %d items of 3", got)
			}
			wet := u.mustUpgrade(dynamostore.UpgradeOptions{Segments: 1})
			if len(dry.Duplicates) != 2 || len(wet.Duplicates) != 2 {
				t.Errorf("duplicates: %d in the dry run, %d then; want 2 and 2", len(dry.Duplicates), len(wet.Duplicates))
			}
			if diff := cmp.Diff(dry, wet); diff != "" {
				t.Errorf("the dry run and the upgrade differ (-dry +wet):\n%s", diff)
			}
			reg, err := u.store().Holder(t.Context(), tokens.MustParseToken("ExpoPushToken[x]").Hash())
			if err != nil || string(reg.Key.UserID) != newest {
				t.Errorf("the token is %s's, %v; want %s's", reg.Key.UserID, err, newest)
			}
			if got := len(dynamotest.Scan(t, u.client, u.table)); got != 2 {
				t.Errorf("%d items left, want the registration and its claim", got)
			}
		})
	}
}

func TestUpgradeLeaves(t *testing.T) {
	u := newUpgradeTable(t)
	u.put("ann", "phone", "ExponentPushToken[x]", upgradeNow.Add(-day), func(i map[string]types.AttributeValue) {
		i["expiresAt"] = &types.AttributeValueMemberN{Value: fmt.Sprint(upgradeNow.Unix())}
	})
	u.put("bob", "phone", "not a token", upgradeNow)
	u.put("bob", "tablet", "ExponentPushToken[y]", upgradeNow, func(i map[string]types.AttributeValue) {
		i["platform"] = &types.AttributeValueMemberN{Value: "1"}
	})
	before := dynamotest.Scan(t, u.client, u.table)
	got := u.mustUpgrade(dynamostore.UpgradeOptions{})
	slices.SortFunc(got.Unreadable, func(a, b tokens.Key) int { return strings.Compare(string(a.DeviceID), string(b.DeviceID)) })
	want := dynamostore.UpgradeReport{Rows: 3, Expired: 1, Unreadable: []tokens.Key{key("bob", "phone"), key("bob", "tablet")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got := dynamotest.Scan(t, u.client, u.table); len(got) != len(before) {
		t.Errorf("%d items, want the %d of before", len(got), len(before))
	}
}

// A restore may bring back half of a transaction.
func TestUpgradeRepairs(t *testing.T) {
	const token = "ExponentPushToken[x]"
	register := func(u *upgradeTable, user string) {
		u.t.Helper()
		_, err := u.store().Register(u.t.Context(), tokens.Request{
			Key: key(user, "phone"), Token: tokens.MustParseToken(token), Platform: tokens.IOS,
		})
		if err != nil {
			u.t.Fatal(err)
		}
	}
	restore := func(u *upgradeTable, items []map[string]types.AttributeValue, which func(user string) bool) {
		for _, item := range items {
			if which(item["userId"].(*types.AttributeValueMemberS).Value) {
				if _, err := u.client.PutItem(u.t.Context(), &dynamodb.PutItemInput{TableName: &u.table, Item: item}); err != nil {
					u.t.Fatal(err)
				}
			}
		}
	}
	isClaim := func(user string) bool { return strings.HasPrefix(user, "#") }
	for _, tt := range []struct {
		name string
		// which items of the state in which ann held the token come back
		which func(user string) bool
	}{
		{"the old claim", isClaim},
		{"the old holder", func(user string) bool { return !isClaim(user) }},
		{"both", func(string) bool { return true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUpgradeTable(t)
			register(u, "ann")
			before := dynamotest.Scan(t, u.client, u.table)
			u.now = u.now.Add(time.Hour)
			register(u, "bob")
			restore(u, before, tt.which)
			u.mustUpgrade(dynamostore.UpgradeOptions{})
			reg, err := u.store().Holder(t.Context(), tokens.MustParseToken(token).Hash())
			if err != nil || reg.Key != key("bob", "phone") {
				t.Errorf("the token is %v's, %v; want bob's", reg.Key, err)
			}
			if _, err := u.store().Get(t.Context(), key("ann", "phone")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("ann's registration: %v, want %v", err, store.ErrNotFound)
			}
		})
	}
}

// TestUpgradeOfOneTime has two rows with one token and one time: the dry run names
// the row that the upgrade removes, whichever is scanned first.
func TestUpgradeOfOneTime(t *testing.T) {
	const token = "ExponentPushToken[x]"
	for _, tt := range []struct {
		name   string
		times  [2]time.Time // of ann and of bob
		claims string       // the user who registers at that time
		want   string       // the user who keeps the token
	}{
		{"two older rows", [2]time.Time{upgradeNow.Add(-day), upgradeNow.Add(-day)}, "", "ann"},
		{"ann is registered", [2]time.Time{upgradeNow, upgradeNow}, "ann", "ann"},
		{"bob is registered", [2]time.Time{upgradeNow, upgradeNow}, "bob", "bob"},
		{"the other one is in the future", [2]time.Time{upgradeNow.Add(day), upgradeNow}, "bob", "bob"},
		{"both are in the future", [2]time.Time{upgradeNow.Add(day), upgradeNow.Add(2 * day)}, "", "ann"},
	} {
		for _, segments := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s, %d segments", tt.name, segments), func(t *testing.T) {
				u := newUpgradeTable(t)
				for i, user := range []string{"ann", "bob"} {
					if user != tt.claims {
						u.put(user, "phone", token, tt.times[i])
					}
				}
				if tt.claims != "" {
					_, err := u.store().Register(t.Context(), tokens.Request{
						Key: key(tt.claims, "phone"), Token: tokens.MustParseToken(token), Platform: tokens.IOS,
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				dry := u.mustUpgrade(dynamostore.UpgradeOptions{DryRun: true, Segments: segments})
				wet := u.mustUpgrade(dynamostore.UpgradeOptions{Segments: segments})
				if diff := cmp.Diff(dry.Duplicates, wet.Duplicates); diff != "" {
					t.Errorf("duplicates (-dry +wet):\n%s", diff)
				}
				reg, err := u.store().Holder(t.Context(), tokens.MustParseToken(token).Hash())
				if err != nil || len(wet.Duplicates) != 1 || wet.Duplicates[0].Kept != reg.Key || string(reg.Key.UserID) != tt.want {
					t.Errorf("the token is %s's, %v, after %v; want %s's", reg.Key.UserID, err, wet.Duplicates, tt.want)
				}
			})
		}
	}
}

// TestUpgradeLeavesRowsReadable has times at the end of the calendar: a row that
// can be decoded can be decoded afterwards, and a second upgrade changes nothing.
func TestUpgradeLeavesRowsReadable(t *testing.T) {
	u := newUpgradeTable(t)
	last := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	u.put("ann", "phone", "ExponentPushToken[a]", last)
	u.put("bob", "phone", "ExponentPushToken[b]", upgradeNow, func(i map[string]types.AttributeValue) {
		i["expiresAt"] = &types.AttributeValueMemberN{Value: fmt.Sprint(last.Unix())}
	})
	u.put("cyd", "phone", "ExponentPushToken[c]", time.Date(1, time.January, 2, 0, 0, 0, 0, time.UTC))
	u.mustUpgrade(dynamostore.UpgradeOptions{})
	for user, expiresAt := range map[string]time.Time{
		"ann": upgradeNow.Add(store.DefaultTTL), // a time in the future counts as now
		"bob": last,
		"cyd": upgradeNow.Add(30 * day),
	} {
		reg, err := u.store().Get(t.Context(), key(user, "phone"))
		if err != nil || !reg.ExpiresAt.Equal(expiresAt) {
			t.Errorf("%s: %v, expires at %v, want %v", user, err, reg.ExpiresAt, expiresAt)
		}
	}
	if diff := cmp.Diff(dynamostore.UpgradeReport{Rows: 3}, u.mustUpgrade(dynamostore.UpgradeOptions{})); diff != "" {
		t.Errorf("second report (-want +got):\n%s", diff)
	}
}

// TestEraseUser erases the rows of users whose ids break today's rules, which
// Upgrade reports, and nothing else.
func TestEraseUser(t *testing.T) {
	u := newUpgradeTable(t)
	long := strings.Repeat("x", 300)
	for n, user := range []string{long, "#ann", "tab\t"} {
		u.put(user, "phone", fmt.Sprintf("ExponentPushToken[%d]", n), upgradeNow)
		u.put(user, "tablet", fmt.Sprintf("ExponentPushToken[%d-2]", n), upgradeNow)
		var invalid *tokens.InvalidError
		if err := u.store().DeleteUser(t.Context(), tokens.UserID(user)); !errors.As(err, &invalid) {
			t.Fatalf("DeleteUser: %v, want an InvalidError", err)
		}
	}
	if _, err := u.store().Register(t.Context(), requestFor(alice, tokenA)); err != nil {
		t.Fatal(err)
	}
	for _, k := range u.mustUpgrade(dynamostore.UpgradeOptions{}).Unreadable {
		if err := dynamostore.EraseUser(t.Context(), u.client, u.table, k.UserID); err != nil {
			t.Fatal(err)
		}
	}
	left := dynamotest.Scan(t, u.client, u.table)
	if len(left) != 2 {
		t.Errorf("%d items are left, want alice's registration and its claim", len(left))
	}
	for _, i := range left {
		if user := text(i, "userId"); strings.HasPrefix(user, "#") {
			if err := dynamostore.EraseUser(t.Context(), u.client, u.table, tokens.UserID(user)); err == nil {
				t.Error("a claim was erased")
			}
		}
	}
	if err := dynamostore.EraseUser(t.Context(), u.client, u.table, ""); err == nil {
		t.Error("no user was erased")
	}
	if got := dynamotest.Scan(t, u.client, u.table); len(got) != 2 {
		t.Errorf("%d items are left, want 2", len(got))
	}
}

func TestUpgradeRefusesBadOptions(t *testing.T) {
	_, err := dynamostore.Upgrade(t.Context(), dynamodb.New(dynamodb.Options{}), "", dynamostore.UpgradeOptions{
		Segments: 257, RowsPerSecond: -1, PageSize: -1, Resume: "?", Policy: store.Policy{TTL: 1},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Segments", "RowsPerSecond", "PageSize", "Resume", "TTL", "table"} {
		if !strings.Contains(err.Error(), want) { // every fault is named at once
			t.Errorf("%q does not name %s", err, want)
		}
	}
}
