package sender

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// requestFaults are the errors that Expo documents for requests, answers of proxies in
// between, and broken variants of both.
var requestFaults = []fakeexpo.Fault{
	{Status: 429}, {Status: 429, RetryAfter: 40 * time.Second}, {Status: 500}, {Status: 502, Body: "<html>"}, {Status: 503, RetryAfter: time.Minute},
	{Status: 504, Body: ""}, {Status: 408}, {Lose: true}, {Vague: true},
	{Status: 200, Code: "TOO_MANY_REQUESTS"}, {Status: 200, Code: "INTERNAL_SERVER_ERROR"},
	{Status: 400, Code: "VALIDATION_ERROR"}, {Status: 200, Code: "VALIDATION_ERROR"}, {Status: 400, Code: "API_ERROR"},
	{Status: 401, Code: "UNAUTHORIZED"}, {Status: 403, Code: "UNAUTHORIZED"}, {Status: 200, Code: "UNAUTHORIZED"}, {Status: 404, Body: "<html>"},
	{Status: 400, Code: "PUSH_TOO_MANY_NOTIFICATIONS"}, {Status: 400, Code: "PUSH_TOO_MANY_RECEIPTS"},
	{Status: 400, Code: "PUSH_TOO_MANY_EXPERIENCE_IDS"}, {Status: 200, Code: "PUSH_TOO_MANY_EXPERIENCE_IDS"}, {Status: 413},
	{Body: "<html>"}, {Body: "{}"}, {Body: "null"}, {Body: `{"data":null}`}, {Body: `{"data":[]}`}, {Body: `{"data":{}}`}, {Body: `{"data":"ok"}`},
	{Body: `{"data":[null]}`}, {Body: `{"data":[{"status":"ok"}]}`}, {Body: `{"errors":[]}`}, {Body: `{"errors":{}}`}, {Body: `{"errors":[null]}`},
	{Status: 301, Location: "http://other.test"}, {Status: 307, Location: "http://other.test"},
}

// messageAnswers are answers to one message, in a ticket or a receipt.
var messageAnswers = []fakeexpo.Answer{
	{}, {Code: "DeviceNotRegistered"}, {Code: "MessageTooBig"}, {Code: "MismatchSenderId"}, {Code: "InvalidCredentials"},
	{Code: "MessageRateExceeded"}, {Code: "MessageRateExceeded", Times: 1}, {Code: "MessageRateExceeded", Times: 3},
	{Code: "DeveloperError"}, {Code: "ExpoError"}, {Code: "ProviderError"}, {Code: "what is no code"},
	{JSON: "null"}, {JSON: "7"}, {JSON: "[]"}, {JSON: "{}"}, {JSON: `{"status":"ok"}`}, {JSON: `{"status":"ok","id":null}`},
	{JSON: `{"status":"ok","id":"none"}`}, {JSON: `{"status":"error"}`}, {JSON: `{"status":"error","details":[]}`},
}

// For any response of Expo and any time of a kill, each message is accounted for: it
// was sent, it failed with a code, or it is left for the next run. When Expo works
// again, the next run sends the rest.
func TestAnyAnswer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { anyAnswer(t, rand.New(rand.NewPCG(seed, 15))) })
		})
	}
}

func anyAnswer(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex
	faults := []float64{0.02, 0.2, 0.6, 1}[random.IntN(4)]
	strange := []float64{0, 0.02, 0.5}[random.IntN(3)]
	kills := []float64{0, 0.005}[random.IntN(2)]
	flip := func(p float64) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64() < p
	}
	w := newWorld(t, fakeexpo.Options{StrictIDs: flip(0.5), Fault: func(fakeexpo.Request) fakeexpo.Fault {
		if !flip(faults) {
			return fakeexpo.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		return requestFaults[random.IntN(len(requestFaults))]
	}})
	for range 120 {
		project := []string{"@acme/app", "@acme/other"}[random.IntN(2)]
		phone := fakeexpo.Phone{Project: project}
		if flip(strange) {
			phone.Ticket = messageAnswers[random.IntN(len(messageAnswers))]
			phone.Receipt = messageAnswers[random.IntN(len(messageAnswers))]
		}
		if flip(strange / 10) {
			phone.Refused = refusals[slices.Sorted(maps.Keys(refusals))[random.IntN(len(refusals))]]
		}
		w.add(1, phone, "p")
	}
	w.o.PageUsers, w.o.Attempts, w.o.MaxGone = 60, 3, 1
	w.o.step = func(string) error {
		if flip(kills) {
			return errKilled
		}
		return nil
	}
	for range 4 {
		began := time.Now()
		err := w.run(t.Context())
		w.accounted()
		left, waiting := w.rest()
		if err == nil && left+waiting > 0 {
			t.Errorf("nothing is wrong, and %d messages and %d receipts are left", left, waiting)
		}
		if took := time.Since(began); took > 26*time.Hour {
			t.Errorf("it took %v", took)
		}
	}
	mu.Lock()
	faults, kills = 0, 0
	mu.Unlock()
	if err := w.run(t.Context()); err != nil {
		t.Log(err) // possible for a project with nothing but refused messages
	}
	w.accounted()
	left, _ := w.rest()
	counts := w.counts()
	missing := counts.Unregistered + counts.Dropped + left
	for _, n := range counts.Failed {
		missing += n
	}
	if left > mostSuspects {
		t.Errorf("%d are left", left)
	}
	for i := range w.users {
		if w.expo.Received(spelling(i)) == 0 {
			missing--
		}
	}
	if missing < 0 {
		t.Errorf("%d phones got nothing, beyond those that are counted: %+v", -missing, counts)
	}
}

// accounted compares the counts with the number of planned messages.
func (w *world) accounted() {
	w.t.Helper()
	c := w.counts()
	left, waiting := w.rest()
	sum := c.Dropped + c.Delivered + c.NoReceipt + c.Unregistered + left + waiting
	for _, n := range c.Failed {
		sum += n
	}
	if sum != c.Planned {
		w.t.Errorf("%d of %d are accounted for: %+v, %d left, %d waiting", sum, c.Planned, c, left, waiting)
	}
}

// rest returns how many messages and how many receipts are left.
func (w *world) rest() (left, waiting int) {
	w.t.Helper()
	for _, n := range w.left() {
		left += n
	}
	box, err := outbox.Open(w.path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	if waiting, err = box.Waiting(); err != nil {
		w.t.Fatal(err)
	}
	return left, waiting
}
