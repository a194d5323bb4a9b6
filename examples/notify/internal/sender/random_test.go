package sender

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
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
		random := &dice{random: rand.New(rand.NewPCG(seed, 15))}
		inWorld(t, fmt.Sprint(seed), func(w *world) { w.anyAnswer(random) })
	}
}

// dice are random numbers for several goroutines.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (d *dice) flip(probability float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.Float64() < probability
}

func pick[T any](d *dice, from []T) T {
	d.mu.Lock()
	defer d.mu.Unlock()
	return from[d.random.IntN(len(from))]
}

func (w *world) anyAnswer(random *dice) {
	faults := pick(random, []float64{0.02, 0.2, 0.6, 1})
	strange := pick(random, []float64{0, 0.02, 0.5})
	kills := pick(random, []float64{0, 0.005})
	strictIDs := random.flip(0.5)
	w.fault = func(fakeexpo.Request) (f fakeexpo.Fault) {
		if random.flip(faults) {
			f = pick(random, requestFaults)
		}
		f.StrictIDs = strictIDs
		return f
	}
	for range 120 {
		phone := fakeexpo.Phone{Project: pick(random, []string{app.Project, other.Project})}
		if random.flip(strange) {
			phone.Ticket, phone.Receipt = pick(random, messageAnswers), pick(random, messageAnswers)
		}
		if random.flip(strange / 10) {
			phone.Refused = refusals[pick(random, slices.Sorted(maps.Keys(refusals)))].Refused
		}
		w.add(1, phone, "p")
	}
	w.o.PageUsers, w.o.Attempts, w.o.MaxGone = 60, 3, 1
	w.o.step = func(string) (err error) {
		if random.flip(kills) {
			err = errKilled
		}
		return err
	}
	for range 4 {
		began := time.Now()
		err := w.run(w.Context())
		if left, waiting, _ := w.accounted(); err == nil && left+waiting > 0 {
			w.Errorf("no error, but %d messages and %d receipts are left", left, waiting)
		}
		if took := time.Since(began); took > 26*time.Hour {
			w.Errorf("it took %v", took)
		}
	}
	w.o.step = nil
	w.fail(fakeexpo.Fault{StrictIDs: strictIDs})
	if err := w.run(w.Context()); err != nil {
		w.Log(err) // possible for a project with nothing but refused messages
	}
	left, _, missing := w.accounted()
	if left > mostSuspects {
		w.Errorf("%d are left", left)
	}
	for i := range w.users {
		if w.expo.Received(spelling(i)) == 0 {
			missing--
		}
	}
	if missing < 0 {
		w.Errorf("%d phones got nothing, beyond those that are counted", -missing)
	}
}

// accounted compares the counts with the number of planned messages. It returns how many
// messages and receipts are left, and how many messages may not have arrived.
func (w *world) accounted() (left, waiting, missing int) {
	w.Helper()
	c, unsent, waiting := w.totals()
	for _, n := range unsent {
		left += n
	}
	missing = c.Dropped + c.Unregistered + left
	for _, n := range c.Failed {
		missing += n
	}
	if sum := missing + c.Delivered + c.NoReceipt + waiting; sum != c.Planned {
		w.Errorf("%d of %d are accounted for: %+v, %d left, %d waiting", sum, c.Planned, c, left, waiting)
	}
	return left, waiting, missing
}
