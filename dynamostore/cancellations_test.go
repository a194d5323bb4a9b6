package dynamostore_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An answer is one of a script.
type answer = func(*http.Request) *http.Response

// refused answers a conditional UpdateItem with the stored data.
func refused(i dynamotest.Item) answer {
	return func(r *http.Request) *http.Response {
		if i == nil {
			return dynamotest.Failure(r, 400, "ConditionalCheckFailedException", "")
		}
		return dynamotest.Answer(r, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":`+dynamotest.ItemJSON(i)+`}`)
	}
}

// canceled answers a transaction.
func canceled(reasons ...dynamotest.Reason) answer {
	return func(r *http.Request) *http.Response { return dynamotest.Cancellation(r, reasons...) }
}

// answered answers with a body.
func answered(body string) answer {
	return func(r *http.Request) *http.Response { return dynamotest.Answer(r, 200, body) }
}

// done answers a write, or a Query that finds nothing.
var done = answered(`{"ConsumedCapacity":{"TableName":"table","CapacityUnits":1},"Items":[],"Count":0}`)

// wrote answers a transaction that is committed.
var wrote = answered(`{"ConsumedCapacity":[{"TableName":"table","CapacityUnits":4}]}`)

// row is a live registration with its claim, as this library writes it.
func row(key tokens.Key, token tokens.Token) dynamotest.Item {
	i := legacyRow(key, token)
	i["expiresAt"] = num("4102444800")
	i["claimExpiresAt"] = num("4105036800")
	i["claimVersion"] = str("version")
	return i
}

// claim is a claim of the key on a token; which one is in its key only.
func claim(key tokens.Key) dynamotest.Item {
	i := keyItem(tokens.Key{UserID: "#claim#1#", DeviceID: "#"})
	i["ownerUserId"] = str(string(key.UserID))
	i["ownerDeviceId"] = str(string(key.DeviceID))
	i["version"] = str("version")
	i["expiresAt"] = num("4105036800")
	return i
}

var (
	none      = dynamotest.Reason{Code: "None"}
	conflict  = dynamotest.Reason{Code: "TransactionConflict"}
	throttled = dynamotest.Reason{Code: "ThrottlingError"}
	exceeded  = dynamotest.Reason{Code: "ProvisionedThroughputExceeded"}
	invalid   = dynamotest.Reason{Code: "ValidationError"}
	unknown   = dynamotest.Reason{Code: "SomethingNew"}
)

func changed(i dynamotest.Item) dynamotest.Reason {
	return dynamotest.Reason{Code: "ConditionalCheckFailed", Item: i}
}

// TestCancellations has Register's first transaction cancelled for each set of
// reasons, and looks at what it sends next. All reasons count: what a refused
// item shows is learned although another one met a transaction.
func TestCancellations(t *testing.T) {
	takes := []string{"Put a claim", "Update alice/alices-phone"}
	tests := []struct {
		name    string
		reasons []dynamotest.Reason
		next    []string // the items of the next transaction; nil: there is none
		want    error    // if there is none; nil: an error without sentinel
	}{
		{"claim is bob's", []dynamotest.Reason{changed(claim(bob)), none}, append(takes, "Delete bob/bobs-phone"), nil},
		{"claim is bob's, row conflicts", []dynamotest.Reason{changed(claim(bob)), conflict}, append(takes, "Delete bob/bobs-phone"), nil},
		{"claim is bob's, row is throttled", []dynamotest.Reason{changed(claim(bob)), throttled}, append(takes, "Delete bob/bobs-phone"), nil},
		{"claim is bob's, row exceeds the throughput", []dynamotest.Reason{changed(claim(bob)), exceeded}, append(takes, "Delete bob/bobs-phone"), nil},
		{"claim is mine", []dynamotest.Reason{changed(claim(alice)), none}, takes, nil},
		{"claim is nobody's", []dynamotest.Reason{changed(keyItem(tokens.Key{UserID: "#claim#1#", DeviceID: "#"})), none}, takes, nil},
		{"row has another token", []dynamotest.Reason{none, changed(row(alice, tokenB))}, append(takes, "Delete a claim"), nil},
		{"claim conflicts, row has another token", []dynamotest.Reason{conflict, changed(row(alice, tokenB))}, append(takes, "Delete a claim"), nil},
		{"claim conflicts", []dynamotest.Reason{conflict, none}, takes, nil},
		{"both conflict", []dynamotest.Reason{conflict, conflict}, takes, nil},
		{"claim is throttled", []dynamotest.Reason{throttled, none}, takes, nil},
		{"no reason at all", []dynamotest.Reason{none, none}, takes, nil},
		{"no code", []dynamotest.Reason{{}, changed(row(alice, tokenB))}, append(takes, "Delete a claim"), nil},

		{"invalid", []dynamotest.Reason{invalid, none}, nil, nil},
		{"invalid, and changed", []dynamotest.Reason{changed(claim(bob)), invalid}, nil, nil},
		{"unknown code", []dynamotest.Reason{none, unknown}, nil, nil},
		{"unknown code, and changed", []dynamotest.Reason{changed(claim(bob)), unknown}, nil, nil},
		{"fewer reasons than items", []dynamotest.Reason{changed(claim(bob))}, nil, store.ErrTryAgain},
		{"more reasons than items", []dynamotest.Reason{none, none, changed(claim(bob))}, nil, store.ErrTryAgain},
		{"no reasons", nil, nil, store.ErrTryAgain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := &dynamotest.Recorder{Next: dynamotest.Script(refused(nil), done, canceled(tt.reasons...), wrote)}
			s := offline(t, recorder, nil)
			_, err := s.Register(t.Context(), requestFor(alice, tokenA))
			calls := recorder.Calls()
			equal(t, "first transaction", takes, calls[2].Items)
			if tt.next != nil {
				if err != nil {
					t.Error(err)
				}
				equal(t, "next transaction", tt.next, calls[len(calls)-1].Items)
				return
			}
			equal(t, "calls", 3, len(calls))
			if errors.Is(err, store.ErrTryAgain) != (tt.want != nil) || errors.Is(err, store.ErrMisconfigured) || err == nil {
				t.Errorf("the error is %v, want %v", err, tt.want)
			}
			discreet(t, err)
		})
	}
}

// TestReleaseIsBestEffort has the claim on a device's old token in other hands:
// the transaction is repeated without its release.
func TestReleaseIsBestEffort(t *testing.T) {
	takes := []string{"Put a claim", "Update alice/alices-phone"}
	recorder := &dynamotest.Recorder{Next: dynamotest.Script(
		refused(row(alice, tokenB)), canceled(none, none, changed(claim(bob))), wrote)}
	var event store.Event
	s := offline(t, recorder, func(e store.Event) { event = e })
	result, err := s.Register(t.Context(), requestFor(alice, tokenA))
	if err != nil {
		t.Fatal(err)
	}
	calls := recorder.Calls()
	equal(t, "first transaction", append(takes, "Delete a claim"), calls[1].Items)
	equal(t, "next transaction", takes, calls[2].Items)
	equal(t, "outcome", store.Replaced, result.Outcome)
	equal(t, "Event.Outcome", "replaced", event.Outcome)
	equal(t, "Event.Attempts", 3, event.Attempts)
}

// TestMoveIsObserved tells the observer of a hand-over.
func TestMoveIsObserved(t *testing.T) {
	var event store.Event
	s := offline(t, dynamotest.Script(refused(nil), done, canceled(changed(claim(bob)), none), wrote),
		func(e store.Event) { event = e })
	result, err := s.Register(t.Context(), requestFor(alice, tokenA))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "MovedFrom", bob, result.MovedFrom)
	equal(t, "Event.Outcome", store.Created, event.Outcome)
	equal(t, "Event.Moved", true, event.Moved)
}

// TestContentionEnds has every try of a write meet another one: the call gives
// up after as many as the options say, and has waited ever longer between them.
func TestContentionEnds(t *testing.T) {
	contended := map[string]answer{
		"plain": func(r *http.Request) *http.Response {
			return dynamotest.Failure(r, 400, "TransactionConflictException", "")
		},
		"conflict":           canceled(conflict, conflict),
		"throttled":          canceled(throttled, throttled),
		"changing all along": canceled(changed(claim(bob)), none),
	}
	for name, answer := range contended {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script := dynamotest.Script(refused(nil), done, answer, func(r *http.Request) *http.Response {
					if name != "changing all along" {
						return answer(r)
					}
					return dynamotest.Cancellation(r, changed(claim(bob)), none, none)
				})
				call := methods[store.OpRegister]
				if name == "plain" {
					script, call = dynamotest.Script(answer), methods[store.OpDeactivate]
				}
				var event store.Event
				c := dynamotest.Offline(script, dynamotest.NoRetries)
				s := dynamotest.Store(t, c, "table", dynamostore.Options{MaxAttempts: 6, Observe: func(e store.Event) { event = e }})
				start := time.Now()
				tryAgain(t, call(t.Context(), s))
				writes := 6
				if name != "plain" {
					writes++ // the refused refresh
				}
				equal(t, "attempts", writes, event.Attempts)
				waits, least := 5, 75*time.Millisecond // 2.5 + 5 + 10 + 20 + 40 ms, each up to twice that
				if name == "changing all along" {
					waits, least = 4, 37*time.Millisecond // the first refusal costs no wait
				}
				if waited := time.Since(start); waited < least || waited > 2*least+3*time.Millisecond {
					t.Errorf("%d waits took %v, want %v to %v", waits, waited, least, 2*least)
				}
			})
		})
	}
}
