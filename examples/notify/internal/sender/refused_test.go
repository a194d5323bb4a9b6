package sender

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// refusals are the ways in which Expo refuses a request because of one message.
var refusals = map[string]fakeexpo.Refusal{
	"UNAUTHORIZED":     {Status: 403, Code: "UNAUTHORIZED"},
	"VALIDATION_ERROR": {Status: 400, Code: "VALIDATION_ERROR"},
	"NEW_CODE":         {Status: 422, Code: "NEW_CODE"},
	"unknown":          {Status: 200, Code: "ExponentPushToken[a]"},
	"API_ERROR":        {Status: 200, Code: "API_ERROR"},
}

// One message that Expo refuses fails alone and costs at most fourteen requests.
func TestOneRefused(t *testing.T) {
	t.Parallel()
	for code, refusal := range refusals {
		for _, others := range []int{0, 99, 399} {
			t.Run(fmt.Sprint(code, others), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, fakeexpo.Options{})
					w.add(others, app, "p")
					bad := app
					bad.Refused = refusal
					w.add(1, bad, "p")
					err := w.run(t.Context())
					if others == 0 { // the project may be at fault
						left := map[string]int{code: 1}
						if diff := cmp.Diff(left, w.left()); diff != "" || !errors.Is(err, ErrRefused) {
							t.Errorf("%v, left (-want +got):\n%s", err, diff)
						}
						return
					}
					want := outbox.Counts{
						Users: others + 1, Planned: others + 1, Accepted: others, Delivered: others, Failed: map[string]int{code: 1},
					}
					if diff := cmp.Diff(want, w.counts()); diff != "" || err != nil {
						t.Errorf("%v (-want +got):\n%s", err, diff)
					}
					sends := w.expo.Stats().Sends
					if most := (others+1)/100 + 14; sends > most {
						t.Errorf("%d requests, want at most %d", sends, most)
					}
				})
			})
		}
	}
}

// Many refused messages, next to each other on the list as one attacker's are, fail alone.
func TestManyRefused(t *testing.T) {
	t.Parallel()
	for _, bads := range []int{40, 150} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fakeexpo.Options{})
			bad := app
			bad.Refused = fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}
			w.add(bads, bad, "p")
			w.add(400-bads, app, "p")
			want := outbox.Counts{Users: 400, Planned: 400, Accepted: 400 - bads, Delivered: 400 - bads, Failed: map[string]int{"UNAUTHORIZED": bads}}
			if diff := cmp.Diff(want, w.finish()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// If Expo has accepted no message of a project, a run gives up the project after a few
// refusals. The next run begins with the messages that were not tried, so a message
// among many of an attacker is sent in the end.
func TestRefusedFirst(t *testing.T) {
	t.Parallel()
	for range 6 { // the messages are in random order
		synctest.Test(t, func(t *testing.T) {
			const bads = 24
			w := newWorld(t, fakeexpo.Options{})
			bad := app
			bad.Refused = fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}
			w.add(bads, bad, "p")
			w.add(1, app, "p")
			for runs := 0; w.expo.Stats().Taken == 0; runs++ {
				if err := w.run(t.Context()); err != nil && !errors.Is(err, ErrRefused) || runs > 4*bads/mostSuspects {
					t.Fatalf("after %d runs: %v, left %v, %+v", runs, err, w.left(), w.counts())
				}
			}
		})
	}
}

// A project that Expo refuses as a whole does not affect other projects, costs few
// requests, and is tried again by the next run.
func TestProjectRefused(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{true, false} {
		for _, status := range []int{200, 401} {
			t.Run(fmt.Sprint(status, named), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, fakeexpo.Options{})
					w.o.PageUsers = 300
					w.addTwo(500, named)
					w.expo.Refuse("@acme/other", fakeexpo.Refusal{Status: status, Code: "UNAUTHORIZED"})
					if err := w.run(t.Context()); !errors.Is(err, ErrRefused) {
						t.Errorf("got %v, want ErrRefused", err)
					}
					want := outbox.Counts{Users: 1000, Planned: 1000, Accepted: 500, Delivered: 500}
					if diff := cmp.Diff(want, w.counts()); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(map[string]int{"UNAUTHORIZED": 500}, w.left()); diff != "" {
						t.Errorf("left (-want +got):\n%s", diff)
					}
					if n := w.expo.Stats().Refused["UNAUTHORIZED"]; n > 40 {
						t.Errorf("refused %d times", n)
					}
					w.expo.Refuse("@acme/other", fakeexpo.Refusal{})
					if got := w.finish(); got.Delivered != 1000 || w.expo.Stats().Taken != 1000 {
						t.Errorf("the next run: %+v", got)
					}
				})
			})
		}
	}
}

// Users of a refused project at the beginning of the list do not keep the users of
// another project from their messages.
func TestRefusedProjectFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(600, fakeexpo.Phone{Project: "@acme/other"}, "other")
		w.add(100, app, "p")
		w.o.PageUsers = 100
		w.expo.Refuse("@acme/other", fakeexpo.Refusal{Status: 401, Code: "UNAUTHORIZED"})
		err := w.run(t.Context())
		if got := w.counts(); got.Delivered != 100 || w.left()["UNAUTHORIZED"] != 600 || !errors.Is(err, ErrRefused) {
			t.Errorf("%v, %+v", err, got)
		}
	})
}

// addTwo adds n users of each of two projects.
func (w *world) addTwo(n int, named bool) {
	other := fakeexpo.Phone{Project: "@acme/other"}
	if named {
		w.add(n, app, "p")
		w.add(n, other, "other")
	} else {
		w.add(n, app, "")
		w.add(n, other, "")
	}
	w.users = interleave(w.users)
}

// A redirect ends the run at once and loses no message.
func TestRedirected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		moved := true
		w := newWorld(t, fakeexpo.Options{Fault: func(fakeexpo.Request) fakeexpo.Fault {
			if moved {
				return fakeexpo.Fault{Status: 307, Location: "http://other.test/send"}
			}
			return fakeexpo.Fault{}
		}})
		w.add(1000, app, "p")
		err := w.run(t.Context())
		if err == nil || w.expo.Stats().Requests > w.o.Workers+6 {
			t.Errorf("got %v after %d requests", err, w.expo.Stats().Requests)
		}
		moved = false
		if got := w.finish(); got.Delivered != 1000 || w.expo.Stats().Taken != 1000 {
			t.Errorf("%+v", got)
		}
	})
}

// A batch that Expo always answers with a 5xx does not affect other batches. Each run
// splits it, until the message at fault is alone.
func TestNeverAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(499, app, "p")
		bad := app
		bad.Refused = fakeexpo.Refusal{Status: 500, Code: "INTERNAL_SERVER_ERROR"}
		w.add(1, bad, "p")
		runs := 0
		for ; ; runs++ {
			if err := w.run(t.Context()); !errors.Is(err, ErrGaveUp) {
				t.Fatalf("got %v, want ErrGaveUp", err)
			}
			if n := w.left()[noAnswer]; n == 1 {
				break
			} else if runs == 0 && w.counts().Delivered < 400 || runs > 8 {
				t.Fatalf("run %d left %d", runs, n)
			}
		}
		if got := w.counts(); got.Delivered != 499 {
			t.Errorf("%+v", got)
		}
	})
}

// If Expo accepts the messages but answers with another number of tickets, the messages
// are not sent again, and other batches are sent.
func TestOtherNumberOfTickets(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"data":[]}`, `{"data":[{"status":"ok","id":"1"}]}`} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fakeexpo.Options{Fault: func(r fakeexpo.Request) fakeexpo.Fault {
				if r.Send && r.Number == 2 {
					return fakeexpo.Fault{Body: body}
				}
				return fakeexpo.Fault{}
			}})
			w.add(500, app, "p")
			w.o.Workers = 1
			got := w.finish()
			if got.Delivered != 400 || got.Failed["NoTicket"] != 100 || w.expo.Stats().Taken != 500 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A ticket or a receipt of any form affects only its own message, and delays nothing.
func TestStrangeTicketsAndReceipts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		ticket, receipt string
		want            outbox.Counts // beside 99
	}{
		{ticket: `{"status":"ok"}`, want: outbox.Counts{Accepted: 1, NoReceipt: 1}},
		{ticket: `{"status":"ok","id":null}`, want: outbox.Counts{Accepted: 1, NoReceipt: 1}},
		{ticket: `{"status":"ok","id":["x"]}`, want: outbox.Counts{Accepted: 1, NoReceipt: 1}},
		{ticket: `null`, want: outbox.Counts{Failed: map[string]int{"NoTicket": 1}}},
		{ticket: `[]`, want: outbox.Counts{Failed: map[string]int{"NoTicket": 1}}},
		{ticket: `{"status":"error","details":[]}`, want: outbox.Counts{Failed: map[string]int{"unknown": 1}}},
		{ticket: `{"status":"ok","id":"never-given"}`, want: outbox.Counts{Accepted: 1, Failed: map[string]int{"VALIDATION_ERROR": 1}}},
		{receipt: `"gone"`, want: outbox.Counts{Accepted: 1, Failed: map[string]int{"unknown": 1}}},
		{receipt: `[]`, want: outbox.Counts{Accepted: 1, Failed: map[string]int{"unknown": 1}}},
		{receipt: `{"status":"error","details":null}`, want: outbox.Counts{Accepted: 1, Failed: map[string]int{"unknown": 1}}},
	} {
		t.Run(tc.ticket+tc.receipt, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, fakeexpo.Options{StrictIDs: true})
				w.add(99, app, "p")
				strange := app
				strange.Ticket.JSON, strange.Receipt.JSON = tc.ticket, tc.receipt
				w.add(1, strange, "p")
				began := time.Now()
				tc.want.Users, tc.want.Planned = 100, 100
				tc.want.Accepted += 99
				tc.want.Delivered += 99
				if diff := cmp.Diff(tc.want, w.finish()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if took := time.Since(began); took > 2*delay {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// If Expo refuses the receipts of one project, or never returns them, they are left for the
// next run. The receipts of the other project are read.
func TestReceiptsOfAProjectRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		refusal fakeexpo.Refusal
		want    error
		most    int // refused requests
	}{
		{fakeexpo.Refusal{Status: 401, Code: "UNAUTHORIZED"}, ErrRefused, 40},
		{fakeexpo.Refusal{Status: 500, Code: "INTERNAL_SERVER_ERROR"}, ErrGaveUp, 80},
		{fakeexpo.Refusal{Status: 308, Code: "MOVED"}, ErrRefused, 4},
	} {
		t.Run(tc.refusal.Code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, fakeexpo.Options{})
				w.addTwo(600, true)
				time.AfterFunc(time.Minute, func() { w.expo.Refuse("@acme/other", tc.refusal) })
				err := w.run(t.Context())
				got := w.counts()
				isRead := got.Delivered == 600 || tc.refusal.Status == 308 // a redirect means that the address is wrong for all projects
				if got.Accepted != 1200 || !isRead || got.Failed != nil || !errors.Is(err, tc.want) {
					t.Errorf("%v, %+v", err, got)
				}
				if n := w.expo.Stats().Refused[tc.refusal.Code]; n > tc.most {
					t.Errorf("refused %d times", n)
				}
				w.expo.Refuse("@acme/other", fakeexpo.Refusal{})
				if got := w.finish(); got.Delivered != 1200 {
					t.Errorf("the next run: %+v", got)
				}
			})
		})
	}
}

// A receipt for which Expo always answers with an error counts as missing. It affects
// neither other receipts nor messages that are not sent yet.
func TestReceiptNeverAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		bad := app
		bad.RefusedLookup = fakeexpo.Refusal{Status: 500, Code: "INTERNAL_SERVER_ERROR"}
		w.add(1, bad, "p")
		w.add(199, app, "p")
		gone := app
		gone.Receipt = fakeexpo.Gone
		w.add(1, gone, "p")
		w.o.PageUsers, w.o.PerSecond = 100, 0.05 // so that the last are sent after the first receipts
		time.Sleep(time.Hour)
		var told time.Duration
		began := time.Now()
		w.o.step = func(at string) error {
			if at == "invalidated" {
				told = time.Since(began)
			}
			return nil
		}
		want := outbox.Counts{
			Users: 201, Planned: 201, Accepted: 201, Delivered: 199, NoReceipt: 1, Unregistered: 1, Invalidated: 1,
		}
		if diff := cmp.Diff(want, w.finish()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if told > 3*time.Hour {
			t.Errorf("it was told after %v", told)
		}
	})
}

// left returns the unsent messages in the outbox, by reason.
func (w *world) left() map[string]int {
	w.t.Helper()
	box, err := outbox.Open(w.path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	left, err := box.Left()
	if err != nil {
		w.t.Fatal(err)
	}
	return left
}
