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
var requestFaults = func() []fakeexpo.Fault {
	all := []fakeexpo.Fault{{Status: 429, RetryAfter: 40 * time.Second}, {Status: 503, RetryAfter: time.Minute}, {Lose: true}, {Vague: true}}
	for _, status := range []int{301, 307, 404, 408, 413, 429, 500, 502, 504} {
		all = append(all, fakeexpo.Fault{Status: status, Location: "http://other.test", Body: "<html>"})
	}
	for _, code := range []string{
		"TOO_MANY_REQUESTS", "INTERNAL_SERVER_ERROR", "VALIDATION_ERROR", "UNAUTHORIZED",
		"PUSH_TOO_MANY_EXPERIENCE_IDS", "PUSH_TOO_MANY_NOTIFICATIONS", "PUSH_TOO_MANY_RECEIPTS",
	} {
		all = append(all, fakeexpo.Fault{Status: 200, Code: code}, fakeexpo.Fault{Status: 400, Code: code})
	}
	for _, body := range []string{
		`<html>`, `{}`, `null`, `{"data":null}`, `{"data":[]}`, `{"data":{}}`, `{"data":"ok"}`, `{"data":[null]}`,
		`{"data":[{"status":"ok"}]}`, `{"errors":[]}`, `{"errors":{}}`, `{"errors":[null]}`,
	} {
		all = append(all, fakeexpo.Fault{Body: body})
	}
	return all
}()

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
