package dynamostore_test

import (
	"context"
	"errors"
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

// pagesOf answers each Query with the next page, and with a cursor unless it is
// the last one; anything else is a write that succeeds, but for the refresh,
// which is refused. It fails the test if a Query does not go on where the last
// page ended.
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
		page := pages[next]
		next++
		texts := []string{}
		for _, i := range page {
			texts = append(texts, dynamotest.ItemJSON(i))
		}
		answer := fmt.Sprintf(`{"Items":[%s],"Count":%d,"ConsumedCapacity":{"CapacityUnits":2}`, strings.Join(texts, ","), len(texts))
		if next < len(pages) {
			answer += fmt.Sprintf(`,"LastEvaluatedKey":{"userId":{"S":"alice"},"deviceId":{"S":%q}}`, cursor(next))
		}
		return dynamotest.Answer(r, 200, answer+"}"), nil
	})
}

func cursor(page int) string { return fmt.Sprintf("end of page %d", page) }

// rowsOf returns registrations of alice's devices of those numbers.
func rowsOf(devices ...int) []dynamotest.Item {
	var rows []dynamotest.Item
	for _, n := range devices {
		token := tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[token-%d]", n))
		rows = append(rows, row(deviceNumber(n), token))
	}
	return rows
}

func deviceNumber(n int) tokens.Key {
	return tokens.Key{UserID: "alice", DeviceID: tokens.DeviceID(fmt.Sprintf("device-%03d", n))}
}

func TestListFollowsPages(t *testing.T) {
	tests := []struct {
		name  string
		pages [][]dynamotest.Item
		want  []int
	}{
		{"nothing", [][]dynamotest.Item{nil}, nil},
		{"one page", [][]dynamotest.Item{rowsOf(1, 2)}, []int{1, 2}},
		{"several pages", [][]dynamotest.Item{rowsOf(1, 2), rowsOf(3), rowsOf(4)}, []int{1, 2, 3, 4}},
		{"empty pages", [][]dynamotest.Item{nil, nil, rowsOf(1), nil, rowsOf(2), nil}, []int{1, 2}},
		{"empty pages alone", [][]dynamotest.Item{nil, nil, nil}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var event store.Event
			s := offline(t, pagesOf(t, tt.pages...), func(e store.Event) { event = e })
			regs, err := s.List(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			var got, want []tokens.Key
			for _, reg := range regs {
				got = append(got, reg.Key)
			}
			for _, n := range tt.want {
				want = append(want, deviceNumber(n))
			}
			equal(t, "keys", want, got)
			equal(t, "Event.Calls", len(tt.pages), event.Calls)
			equal(t, "Event.ReadUnits", float64(2*len(tt.pages)), event.ReadUnits)
		})
	}
}

// TestDeleteUserFollowsPages erases each page before it asks for the next, at
// most twenty registrations in a transaction, each with its claim.
func TestDeleteUserFollowsPages(t *testing.T) {
	many := make([]int, 45)
	for n := range many {
		many[n] = 100 + n
	}
	recorder := &dynamotest.Recorder{Next: pagesOf(t, nil, rowsOf(1, 2), nil, rowsOf(many...))}
	s := offline(t, recorder, nil)
	if err := s.DeleteUser(t.Context(), "alice"); err != nil {
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
	for _, n := range append(many, 1, 2) {
		if want := fmt.Sprintf("Delete alice/%s", deviceNumber(n).DeviceID); !erased[want] {
			t.Errorf("no transaction has %q", want)
		}
	}
}

// TestRegisterCountsAllPages evicts for devices that are on the last page.
func TestRegisterCountsAllPages(t *testing.T) {
	recorder := &dynamotest.Recorder{Next: pagesOf(t, rowsOf(1), nil, rowsOf(2), rowsOf(3))}
	c := dynamotest.Offline(recorder, dynamotest.NoRetries)
	s := dynamotest.Store(t, c, "table", dynamostore.Options{Policy: store.Policy{MaxDevices: 2}})
	result, err := s.Register(t.Context(), requestFor(alice, tokenA))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Evicted", []tokens.Key{deviceNumber(1), deviceNumber(2)}, result.Evicted)
	calls := recorder.Calls()
	equal(t, "items", []string{
		"Put a claim", "Update alice/alices-phone", "Delete alice/device-001", "Delete alice/device-002",
		"Delete a claim", "Delete a claim",
	}, calls[len(calls)-1].Items)
}

// TestPageFails makes the second page fail: nothing is listed, and the rows of the
// first page are erased.
func TestPageFails(t *testing.T) {
	for _, operation := range []store.Operation{store.OpList, store.OpDeleteUser, store.OpRegister} {
		t.Run(string(operation), func(t *testing.T) {
			pages := pagesOf(t, rowsOf(1), rowsOf(2))
			queries := 0
			recorder := &dynamotest.Recorder{Next: dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
				if dynamotest.Operation(r) == "Query" {
					if queries++; queries == 2 {
						return dynamotest.Failure(r, 400, "ThrottlingException", "not now"), nil
					}
				}
				return pages.RoundTrip(r)
			})}
			s := offline(t, recorder, nil)
			tryAgain(t, methods[operation](t.Context(), s))
			wrote := slices.ContainsFunc(recorder.Calls(), func(c dynamotest.Call) bool { return c.Operation == "TransactWriteItems" })
			equal(t, "a transaction", operation == store.OpDeleteUser, wrote)
		})
	}
	s := offline(t, dynamotest.Script(func(r *http.Request) *http.Response {
		return dynamotest.Failure(r, 400, "ThrottlingException", "not now")
	}), nil)
	if regs, err := s.List(context.Background(), "alice"); regs != nil || !errors.Is(err, store.ErrTryAgain) {
		t.Errorf("List: %v, %v", regs, err)
	}
}

// found answers a GetItem.
func found(i dynamotest.Item) answer { return answered(`{"Item":` + dynamotest.ItemJSON(i) + `}`) }

// both answers a TransactGetItems; a nil item does not exist.
func both(items ...dynamotest.Item) answer {
	var texts []string
	for _, i := range items {
		text := "{}"
		if i != nil {
			text = `{"Item":` + dynamotest.ItemJSON(i) + `}`
		}
		texts = append(texts, text)
	}
	return answered(`{"Responses":[` + strings.Join(texts, ",") + `],"ConsumedCapacity":[{"TableName":"table","CapacityUnits":4}]}`)
}

// TestHolderWhileTheTokenMoves has the claim and the registrations change between
// the calls of Holder.
func TestHolderWhileTheTokenMoves(t *testing.T) {
	tests := []struct {
		name   string
		script []answer
		calls  int
		want   tokens.Key
		err    error // nil: an error without sentinel, if want is zero
	}{
		{"nobody", []answer{answered(`{}`)}, 1, tokens.Key{}, store.ErrNotFound},
		{"at rest", []answer{found(claim(bob)), found(row(bob, tokenA))}, 2, bob, nil},
		{"spelled otherwise", []answer{found(claim(bob)), found(row(bob, respelt))}, 2, bob, nil},
		{
			"back before the second look",
			[]answer{found(claim(bob)), found(row(bob, tokenB)), both(claim(bob), row(bob, tokenA))},
			3, bob, nil,
		},
		{
			"moved to alice",
			[]answer{found(claim(bob)), answered(`{}`), both(claim(alice), nil), found(row(alice, tokenA))},
			4, alice, nil,
		},
		{
			"moved to alice, and back",
			[]answer{
				found(claim(bob)), answered(`{}`), both(claim(alice), nil),
				found(row(alice, tokenB)), both(claim(bob), row(alice, tokenB)), found(row(bob, tokenA)),
			},
			6, bob, nil,
		},
		{"the claim goes too", []answer{found(claim(bob)), answered(`{}`), both(nil, nil)}, 3, tokens.Key{}, store.ErrNotFound},
		{"the claim is left behind", []answer{found(claim(bob)), answered(`{}`), both(claim(bob), nil)}, 3, tokens.Key{}, store.ErrNotFound},
		{"the claim is left behind another token", []answer{found(claim(bob)), found(row(bob, tokenB)), both(claim(bob), row(bob, tokenB))}, 3, tokens.Key{}, store.ErrNotFound},
		{"the claim names nobody", []answer{found(claim(tokens.Key{}))}, 1, tokens.Key{}, nil},
		{"the claim comes to name nobody", []answer{found(claim(bob)), answered(`{}`), both(claim(tokens.Key{}), nil)}, 3, tokens.Key{}, nil},
		{"an answer for one item", []answer{found(claim(bob)), answered(`{}`), both(claim(bob))}, 3, tokens.Key{}, nil},
		{"an answer for none", []answer{found(claim(bob)), answered(`{}`), answered(`{}`)}, 3, tokens.Key{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var event store.Event
			s := offline(t, dynamotest.Script(tt.script...), func(e store.Event) { event = e })
			reg, err := s.Holder(t.Context(), tokenA.Hash())
			equal(t, "holder", tt.want, reg.Key)
			equal(t, "calls", tt.calls, event.Calls)
			switch {
			case !tt.want.IsZero():
				if err != nil {
					t.Error(err)
				}
			case err == nil, tt.err != nil && !errors.Is(err, tt.err), tt.err == nil && errors.Is(err, store.ErrNotFound):
				t.Errorf("the error is %v, want %v", err, tt.err)
			default:
				discreet(t, err)
			}
		})
	}
}

// TestHolderGivesUp on a token that never stays where it was.
func TestHolderGivesUp(t *testing.T) {
	owners, n := []tokens.Key{alice, bob}, 0
	var event store.Event
	s := offline(t, dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		if dynamotest.Operation(r) == "TransactGetItems" {
			n++
			return both(claim(owners[n%2]), nil)(r), nil
		}
		return found(claim(alice))(r), nil // also under the key of a registration, which does not have the token
	}), func(e store.Event) { event = e })
	_, err := s.Holder(t.Context(), tokenA.Hash())
	if !errors.Is(err, store.ErrTryAgain) {
		t.Fatalf("the error is %v, want ErrTryAgain", err)
	}
	discreet(t, err)
	equal(t, "outcome", "try_again", event.Outcome)
	if event.Calls > 12 {
		t.Errorf("%d calls were made", event.Calls)
	}
}
