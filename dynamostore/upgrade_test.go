package dynamostore_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var ann = key("ann", "phone")

func token(id string) tokens.Token { return tokens.MustParseToken("ExponentPushToken[" + id + "]") }

// legacyAt returns a row of the earlier service that was updated then.
func legacyAt(key tokens.Key, token tokens.Token, updatedAt time.Time) dynamotest.Item {
	return with(legacyRow(key, token), dynamotest.Item{"registeredAt": instant(updatedAt.Add(-day)), "updatedAt": instant(updatedAt)})
}

// TestUpgrade gives each row an expiry and a claim, and leaves an expired row and rows
// that cannot be decoded. A second upgrade changes nothing.
func TestUpgrade(t *testing.T) {
	w := newWorld(t, store.Policy{})
	last := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	expiring := func(at time.Time) dynamotest.Item { return dynamotest.Item{"expiresAt": num(fmt.Sprint(at.Unix()))} }
	rows := []struct {
		name      string
		updatedAt time.Time
		changes   dynamotest.Item
		want      time.Time // the expiry; zero: none, or that of the row
	}{
		{"recent", w.now.Add(-day), dynamotest.Item{"appVersion": str("7.1")}, w.now.Add(store.DefaultTTL - day)},
		{"old", w.now.Add(-300 * day), nil, w.now.Add(30 * day)},
		{"oldest", time.Date(1, time.January, 3, 0, 0, 0, 0, time.UTC), nil, w.now.Add(30 * day)},
		{"future", last, nil, w.now.Add(store.DefaultTTL)}, // counts as now
		{"with expiry", w.now, expiring(last), last},
		{"expired", w.now.Add(-day), expiring(w.now), time.Time{}},
		{"corrupt platform", w.now, dynamotest.Item{"platform": num("1")}, time.Time{}},
		{"corrupt token", w.now, dynamotest.Item{"expoPushToken": str("not a token")}, time.Time{}},
	}
	for n, r := range rows {
		w.put(with(legacyAt(key(r.name, "phone"), token(fmt.Sprint(n)), r.updatedAt), r.changes))
	}
	corrupt := []tokens.Key{key("corrupt platform", "phone"), key("corrupt token", "phone")}
	equal(t, "report", dynamostore.UpgradeReport{Rows: 8, Expired: 1, WithoutExpiry: 4, Unclaimed: 5, Unreadable: corrupt}, w.upgrade(dynamostore.UpgradeOptions{}))
	w.look() // and not check: the claim of the last second expires with its row
	equal(t, "rows and claims", 8+5, len(w.items))
	for n, r := range rows {
		if r.want.IsZero() {
			continue
		}
		reg := w.holder(token(fmt.Sprint(n)))
		equal(t, r.name, r.want.Truncate(time.Second), reg.ExpiresAt)
	}
	equal(t, "an unknown attribute", "7.1", text(w.at(key("recent", "phone")), "appVersion"))
	equal(t, "second report", dynamostore.UpgradeReport{Rows: 8, Expired: 1, Unreadable: corrupt}, w.upgrade(dynamostore.UpgradeOptions{}))
}

// TestUpgradeDuplicates has rows with one token, in two spellings. A dry run changes nothing
// and has the report of the upgrade. With two rows, it does so in any order of the scan.
func TestUpgradeDuplicates(t *testing.T) {
	type since = map[tokens.Key]time.Duration // updatedAt of the rows, since now
	cyd := key("cyd", "phone")
	var unregistered tokens.Key
	for _, tt := range []struct {
		rows       since
		registered tokens.Key // by Register, now
		want       tokens.Key // keeps the token
	}{
		{since{ann: -time.Hour, bob: -9 * day, cyd: -8 * day}, unregistered, ann},
		{since{ann: -10 * day, bob: -time.Hour, cyd: -8 * day}, unregistered, bob},
		{since{ann: -10 * day, bob: -9 * day, cyd: -time.Hour}, unregistered, cyd},
		{since{ann: -day, bob: -day}, unregistered, ann},
		{since{ann: 0, bob: 0}, ann, ann},
		{since{ann: 0, bob: 0}, bob, bob},
		{since{ann: day, bob: 0}, bob, bob},
		{since{ann: day, bob: 2 * day}, unregistered, ann},
	} {
		for _, segments := range []int{1, 16}[:4-len(tt.rows)] {
			t.Run(fmt.Sprintf("%v, registered: %v, %d segments", tt.rows, tt.registered, segments), func(t *testing.T) {
				w := newWorld(t, store.Policy{})
				for key, since := range tt.rows {
					if key == tt.registered {
						w.register(key, respelt)
					} else {
						w.put(legacyAt(key, tokenA, w.now.Add(since)))
					}
				}
				w.look()
				items := len(w.items)
				dry := w.upgrade(dynamostore.UpgradeOptions{DryRun: true, Segments: segments})
				w.look()
				equal(t, "items after the dry run", items, len(w.items))
				equal(t, "report", dry, w.upgrade(dynamostore.UpgradeOptions{Segments: segments}))
				equal(t, "duplicates", len(tt.rows)-1, len(dry.Duplicates))
				reg := w.holder(tokenA)
				equal(t, "holder", tt.want, reg.Key)
				w.check()
				equal(t, "the registration and its claim", 2, len(w.items))
			})
		}
	}
}

// TestRepair restores half of the transaction that moved the token from alice to bob.
func TestRepair(t *testing.T) {
	for name, which := range map[string]func(dynamotest.Item) bool{
		"the old claim":  func(i dynamotest.Item) bool { return strings.HasPrefix(text(i, "userId"), "#") },
		"the old holder": func(i dynamotest.Item) bool { return keyOf(i) == alice },
		"both":           func(dynamotest.Item) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, store.Policy{})
			w.register(alice, tokenA)
			w.look()
			w.now = w.now.Add(time.Hour)
			w.register(bob, tokenA)
			for _, i := range w.items {
				if which(i) {
					w.put(i)
				}
			}
			_, err := dynamostore.Repair(t.Context(), w.client, w.table, dynamostore.UpgradeOptions{Policy: w.policy})
			w.do(err)
			w.check()
			w.holds(bob, tokenA)
			w.empty(alice)
		})
	}
}

// TestEraseUser erases the rows of users whose ids are invalid, which Upgrade reports,
// and nothing else.
func TestEraseUser(t *testing.T) {
	w := newWorld(t, store.Policy{})
	for n, user := range []string{strings.Repeat("x", 300), "#ann", "tab\t"} {
		w.put(legacyRow(key(user, "phone"), token(fmt.Sprint(n))), legacyRow(key(user, "tablet"), token(fmt.Sprint(n, "tablet"))))
		var invalid *tokens.InvalidError
		if err := w.clean.DeleteUser(t.Context(), tokens.UserID(user)); !errors.As(err, &invalid) {
			t.Fatalf("DeleteUser: %v, want an InvalidError", err)
		}
	}
	w.register(alice, tokenA)
	for _, k := range w.upgrade(dynamostore.UpgradeOptions{}).Unreadable {
		w.do(dynamostore.EraseUser(t.Context(), w.client, w.table, k.UserID))
	}
	w.look()
	for _, user := range []string{"", text(w.claimOf(alice), "userId")} {
		if err := dynamostore.EraseUser(t.Context(), w.client, w.table, tokens.UserID(user)); err == nil {
			t.Errorf("EraseUser of %q: no error", user)
		}
	}
	w.check()
	w.holds(alice, tokenA)
	equal(t, "the registration of alice and its claim", 2, len(w.items))
}

// manyRows returns rows of the earlier service, each of another user.
func manyRows(name string, n int) []dynamotest.Item {
	var rows []dynamotest.Item
	for i := range n {
		id := fmt.Sprintf("%s-%02d", name, i)
		rows = append(rows, legacyRow(key(id, "phone"), token(id)))
	}
	return rows
}

// TestUpgradeResumes fails every run after a few requests. The cursor moves in each, and
// in the end every row got its claim once.
func TestUpgradeResumes(t *testing.T) {
	w := newWorld(t, store.Policy{})
	const rows = 40
	w.put(manyRows("user", rows)...)
	cursor, unclaimed, pages := "", 0, 0
	for run := 1; ; run++ {
		var requests atomic.Int64
		c := dynamotest.Client(t, dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1) > 40 {
				return failure(400, "ThrottlingException")(r), nil
			}
			return http.DefaultTransport.RoundTrip(r)
		}), dynamotest.NoRetries)
		report, err := dynamostore.Upgrade(t.Context(), c, w.table, dynamostore.UpgradeOptions{
			Policy: w.policy, Segments: 4, PageSize: 2, Resume: cursor,
			Progress: func(dynamostore.UpgradeReport) { pages++ },
		})
		unclaimed += report.Unclaimed
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrTryAgain) || report.Cursor == cursor || run > rows {
			t.Fatalf("run %d: %v; the cursor has moved: %v", run, err, report.Cursor != cursor)
		}
		cursor = report.Cursor
	}
	if unclaimed < rows || pages < rows/2 {
		t.Errorf("%d rows got claims in %d pages, want %d or more", unclaimed, pages, rows)
	}
	equal(t, "report", dynamostore.UpgradeReport{Rows: rows}, w.upgrade(dynamostore.UpgradeOptions{}))
}

// TestUpgradeSpeed upgrades 320 rows in 16 pages. If a call takes 5 ms, as on AWS, each
// segment upgrades 100 rows a second. With a rate, a page waits for the rows of all segments
// that were read before it.
func TestUpgradeSpeed(t *testing.T) {
	const call = 5 * time.Millisecond
	for _, tt := range []struct {
		segments int
		call     time.Duration
		rate     float64
		want     time.Duration
	}{
		{1, call, 0, 3200 * time.Millisecond},
		{0, call, 0, 200 * time.Millisecond}, // 16 segments
		{1, 0, 10, 30 * time.Second},
		{0, 0, 0.5, 600 * time.Second},
		{3, 0, 10, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var pages atomic.Int64
			table := dynamotest.Offline(dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
				if dynamotest.Operation(r) != "Scan" {
					time.Sleep(tt.call)
					return answered("{}")(r), nil
				}
				page := pages.Add(1)
				if page > 16 { // of other segments
					return done(r), nil
				}
				next := ann
				if page == 16 {
					next = tokens.Key{}
				}
				return pageOf(manyRows(fmt.Sprint(page), 20), next)(r), nil
			}))
			began := time.Now()
			report, err := dynamostore.Upgrade(t.Context(), table, "table", dynamostore.UpgradeOptions{Segments: tt.segments, RowsPerSecond: tt.rate})
			if err != nil || report.Unclaimed != 320 {
				t.Fatalf("%d rows were upgraded, %v", report.Unclaimed, err)
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("%d segments at %v rows a second took %v, want %v", tt.segments, tt.rate, took, tt.want)
			}
		})
	}
}
