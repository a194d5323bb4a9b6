package dynamostore_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// pagesOf answers each Query with the next page. It refuses the refresh, and lets other
// writes succeed. It fails the test if a Query does not begin where the last page ended.
func pagesOf(t *testing.T, pages ...[]dynamotest.Item) http.RoundTripper {
	next := 0
	return dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		switch dynamotest.Operation(r) {
		case "UpdateItem":
			return refused(nil)(r), nil
		case "TransactWriteItems":
			return wrote(r), nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if next > 0 != strings.Contains(string(body), `"ExclusiveStartKey":`) ||
			next > 0 && !strings.Contains(string(body), cursor(next)) {
			t.Errorf("Query %d is %s", next+1, body)
		}
		next++
		if next < len(pages) {
			return pageOf(pages[next-1], key("alice", cursor(next)))(r), nil
		}
		return pageOf(pages[next-1], tokens.Key{})(r), nil
	})
}

func cursor(page int) string { return fmt.Sprintf("end of page %d", page) }

// rowsFrom returns n registrations of alice.
func rowsFrom(first, n int) []dynamotest.Item {
	var rows []dynamotest.Item
	for i := first; i < first+n; i++ {
		rows = append(rows, row(deviceNumber(i), tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[token-%d]", i))))
	}
	return rows
}

func deviceNumber(n int) tokens.Key { return key("alice", fmt.Sprintf("device-%03d", n)) }

// TestDeleteUserFollowsPages erases each page before it asks for the next, at most
// twenty registrations in a transaction, each with its claim.
func TestDeleteUserFollowsPages(t *testing.T) {
	recorder := &dynamotest.Recorder{Next: pagesOf(t, nil, rowsFrom(0, 2), nil, rowsFrom(2, 45))}
	if err := offline(t, recorder, nil).DeleteUser(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	var got []string
	erased := make(map[string]bool)
	for _, c := range recorder.Calls() {
		got = append(got, fmt.Sprintf("%s %d", c.Operation, len(c.Items)))
		for _, i := range c.Items {
			erased[i] = true
		}
	}
	equal(t, "calls", []string{
		"Query 0", "Query 0", "TransactWriteItems 4", "Query 0", "Query 0",
		"TransactWriteItems 40", "TransactWriteItems 40", "TransactWriteItems 10",
	}, got)
	for n := range 47 {
		if want := fmt.Sprintf("Delete alice/%s", deviceNumber(n).DeviceID); !erased[want] {
			t.Errorf("no transaction has %q", want)
		}
	}
}

// TestGreatestTransaction registers a new device of a user with many devices. The evicted
// devices, the rows of the earlier service with the token, and their claims must fit into
// a transaction. The devices are on the last page.
func TestGreatestTransaction(t *testing.T) {
	rows := rowsFrom(0, 300)
	for n := range rows {
		if n%4 == 0 {
			rows[n] = with(rows[n], dynamotest.Item{"expoPushToken": str(respelt.Reveal()), "claimVersion": nil})
		}
	}
	recorder := &dynamotest.Recorder{Next: pagesOf(t, nil, rows)}
	c := dynamotest.Offline(recorder, dynamotest.NoRetries)
	result, err := dynamotest.Store(t, c, "table", dynamostore.Options{Policy: store.Policy{MaxDevices: 1}}).Register(t.Context(), requestFor(alice, tokenA))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "evicted", store.MaxEvictions, len(result.Evicted))
	calls := recorder.Calls()
	if items := len(calls[len(calls)-1].Items); items < 98 || items > 100 {
		t.Errorf("the transaction has %d items, want nearly 100 and not more", items)
	}
}

// TestPageFails fails the second page. DeleteUser has erased the rows of the first page, and
// List returns nothing.
func TestPageFails(t *testing.T) {
	first, fails := pageOf(rowsFrom(0, 1), alice), failure(400, "ThrottlingException")
	for operation, script := range map[store.Operation][]answer{
		store.OpList:       {first, fails},
		store.OpDeleteUser: {first, wrote, fails},
		store.OpRegister:   {refused(nil), first, fails},
	} {
		var event store.Event
		err := methods[operation](t.Context(), offline(t, dynamotest.Script(script...), &event))
		tryAgain(t, err)
		equal(t, string(operation), len(script), event.Calls)
	}
	regs, _ := offline(t, dynamotest.Script(first, fails), nil).List(t.Context(), "alice")
	equal(t, "registrations", 0, len(regs))

	w, err := dynamostore.NewWalker(dynamotest.Offline(dynamotest.Script(fails), dynamotest.NoRetries), "table")
	if err == nil {
		_, _, err = w.Page(t.Context(), "", 1)
	}
	tryAgain(t, err)
}

// TestHolderWhileTheTokenMoves changes the claim and the registrations between the calls of
// Holder, each of which has one answer.
func TestHolderWhileTheTokenMoves(t *testing.T) {
	bobs, alices, gone := found(claim(bob)), found(claim(alice)), answered(`{}`)
	aliceHasB := found(row(alice, tokenB))
	toAlice, toBob := foundAll(claim(alice), nil), foundAll(claim(bob), row(alice, tokenB))
	moving := append([]answer{alices}, slices.Repeat([]answer{aliceHasB, toBob, aliceHasB, toAlice}, 2)...)
	for _, tt := range []struct {
		name   string
		script []answer
		want   tokens.Key
		err    error // if want is zero; nil: an error without sentinel
	}{
		{"no claim", []answer{gone}, tokens.Key{}, store.ErrNotFound},
		{"at rest", []answer{bobs, found(row(bob, tokenA))}, bob, nil},
		{"spelled otherwise", []answer{bobs, found(row(bob, respelt))}, bob, nil},
		{"back before the second read", []answer{bobs, found(row(bob, tokenB)), foundAll(claim(bob), row(bob, tokenA))}, bob, nil},
		{"moved to alice", []answer{bobs, gone, toAlice, found(row(alice, tokenA))}, alice, nil},
		{"moved to alice, and back", []answer{bobs, gone, toAlice, aliceHasB, toBob, found(row(bob, tokenA))}, bob, nil},
		{"moving all the time", moving[:9], tokens.Key{}, store.ErrTryAgain},
		{"the claim is removed too", []answer{bobs, gone, foundAll(nil, nil)}, tokens.Key{}, store.ErrNotFound},
		{"the claim is left behind", []answer{bobs, gone, foundAll(claim(bob), nil)}, tokens.Key{}, store.ErrNotFound},
		{"the claim is left behind another token", []answer{bobs, found(row(bob, tokenB)), foundAll(claim(bob), row(bob, tokenB))}, tokens.Key{}, store.ErrNotFound},
		{"the claim names no owner", []answer{found(claim(tokens.Key{}))}, tokens.Key{}, nil},
		{"the changed claim names no owner", []answer{bobs, gone, foundAll(claim(tokens.Key{}), nil)}, tokens.Key{}, nil},
		{"an answer for one item", []answer{bobs, gone, foundAll(claim(bob))}, tokens.Key{}, nil},
		{"an answer for none", []answer{bobs, gone, gone}, tokens.Key{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var event store.Event
			reg, err := offline(t, dynamotest.Script(tt.script...), &event).Holder(t.Context(), tokenA.Hash())
			equal(t, "holder", tt.want, reg.Key)
			equal(t, "calls", len(tt.script), event.Calls)
			if tt.want.IsZero() {
				sentinels(t, err, tt.err)
				discreet(t, err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
