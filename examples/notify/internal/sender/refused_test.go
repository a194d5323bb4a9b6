package sender

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// refusals are phones for which Expo refuses a request, by the code that is counted.
var refusals = map[string]fakeexpo.Phone{
	"UNAUTHORIZED":     refused(403, "UNAUTHORIZED"),
	"VALIDATION_ERROR": refused(400, "VALIDATION_ERROR"),
	"NEW_CODE":         refused(422, "NEW_CODE"),
	"unknown":          refused(200, "ExponentPushToken[a]"),
	"API_ERROR":        refused(200, "API_ERROR"),
}

// One message that Expo refuses fails alone and costs at most fourteen requests. If the
// project has no other message, the project may be at fault, and the message is left.
func TestOneRefused(t *testing.T) {
	t.Parallel()
	for code, bad := range refusals {
		for _, others := range []int{0, 99, 299} {
			t.Run(fmt.Sprint(code, others), func(t *testing.T) {
				inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
					w.add(others, app, "p")
					w.add(1, bad, "p")
					if others == 0 {
						err := w.run(t.Context())
						_, left, _ := w.totals()
						if diff := cmp.Diff(map[string]int{code: 1}, left); diff != "" || !errors.Is(err, ErrRefused) {
							t.Errorf("%v, left (-want +got):\n%s", err, diff)
						}
						return
					}
					w.expect(outbox.Counts{Accepted: others, Delivered: others, Failed: map[string]int{code: 1}}, w.finish())
					if sends, most := w.expo.Stats().Sends, (others+1)/100+14; sends > most {
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
	for _, bads := range []int{40, 60} {
		inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
			w.add(bads, refusals["UNAUTHORIZED"], "p")
			w.add(220-bads, app, "p")
			w.expect(outbox.Counts{Accepted: 220 - bads, Delivered: 220 - bads, Failed: map[string]int{"UNAUTHORIZED": bads}}, w.finish())
		})
	}
}

// If Expo has accepted no message of a project, a run gives up the project after a few
// refusals. The next run begins with the messages that were not tried, so a message
// among many of an attacker is sent in the end.
func TestRefusedFirst(t *testing.T) {
	t.Parallel()
	for range 6 { // the messages are in random order
		inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
			const bads = 24
			w.add(bads, refusals["UNAUTHORIZED"], "p")
			w.add(1, app, "p")
			for runs := 0; w.expo.Stats().Taken == 0; runs++ {
				if err := w.run(t.Context()); err != nil && !errors.Is(err, ErrRefused) || runs > 4*bads/mostSuspects {
					t.Fatalf("after %d runs: %v", runs, err)
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
				inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
					w.o.PageUsers = 200
					w.addTwo(300, named)
					w.expo.Refuse(other.Project, fakeexpo.Refusal{Status: status, Code: "UNAUTHORIZED"})
					if err := w.run(t.Context()); !errors.Is(err, ErrRefused) {
						t.Errorf("got %v, want ErrRefused", err)
					}
					got, left, _ := w.totals()
					w.expect(outbox.Counts{Accepted: 300, Delivered: 300}, got)
					if diff := cmp.Diff(map[string]int{"UNAUTHORIZED": 300}, left); diff != "" {
						t.Errorf("left (-want +got):\n%s", diff)
					}
					if n := w.expo.Stats().Refused["UNAUTHORIZED"]; n > 40 {
						t.Errorf("refused %d times", n)
					}
					w.expo.Refuse(other.Project, fakeexpo.Refusal{})
					if w.expect(outbox.Counts{Accepted: 600, Delivered: 600}, w.finish()); w.expo.Stats().Taken != 600 {
						t.Errorf("%+v", w.expo.Stats())
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
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.add(300, other, "other")
		w.add(50, app, "p")
		w.o.PageUsers = 50
		w.expo.Refuse(other.Project, fakeexpo.Refusal{Status: 401, Code: "UNAUTHORIZED"})
		err := w.run(t.Context())
		if got, left, _ := w.totals(); got.Delivered != 50 || left["UNAUTHORIZED"] != 300 || !errors.Is(err, ErrRefused) {
			t.Errorf("%v, %+v", err, got)
		}
	})
}

// If Expo accepts no request, a run ends after few requests, and loses no message.
func TestNothingAccepted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault fakeexpo.Fault
		most  int // requests
		want  string
	}{
		{"redirect", fakeexpo.Fault{Status: 307, Location: "http://other.test/send"}, 6, "send: expo answered 307"},
		{"no answer", fakeexpo.Fault{Status: 502}, 70, ErrGaveUp.Error()},
		{"access token", fakeexpo.Fault{Status: 401, Code: "UNAUTHORIZED"}, 30, ErrRefused.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
				w.fault = func(fakeexpo.Request) fakeexpo.Fault { return tc.fault }
				w.add(1000, app, "p")
				w.o.PageUsers = 20
				err := w.run(t.Context())
				if n := w.expo.Stats().Requests; err == nil || !strings.Contains(err.Error(), tc.want) || n > tc.most {
					t.Errorf("got %v after %d requests", err, n)
				}
				if got, _, _ := w.totals(); got.Planned > 500 || got.Failed != nil {
					t.Errorf("%+v, with a list that is refused from its beginning", got)
				}
				w.fault = nil
				if w.expect(outbox.Counts{Accepted: 1000, Delivered: 1000}, w.finish()); w.expo.Stats().Taken != 1000 {
					t.Errorf("%+v", w.expo.Stats())
				}
			})
		})
	}
}

// A batch that Expo always answers with a 5xx does not affect other batches. Each run
// splits it, until the message at fault is alone.
func TestNeverAnswered(t *testing.T) {
	t.Parallel()
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.add(299, app, "p")
		w.add(1, refused(500, "INTERNAL_SERVER_ERROR"), "p")
		for runs := 0; ; runs++ {
			if err := w.run(t.Context()); !errors.Is(err, ErrGaveUp) {
				t.Fatalf("got %v, want ErrGaveUp", err)
			}
			got, left, _ := w.totals()
			if left[noAnswer] == 1 {
				w.expect(outbox.Counts{Accepted: 299, Delivered: 299}, got)
				return
			}
			if got.Delivered < 200 || runs > 8 {
				t.Fatalf("run %d: %+v, left %v", runs, got, left)
			}
		}
	})
}

// If Expo accepts the messages but answers with another number of tickets, the messages
// are not sent again, and other batches are sent.
func TestOtherNumberOfTickets(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"data":[]}`, `{"data":[{"status":"ok","id":"1"}]}`} {
		inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
			w.fault = func(r fakeexpo.Request) (f fakeexpo.Fault) {
				if r.Send && r.Number == 2 {
					f.Body = body
				}
				return f
			}
			w.add(300, app, "p")
			w.o.Workers = 1
			want := outbox.Counts{Accepted: 200, Delivered: 200, Failed: map[string]int{"NoTicket": 100}}
			if w.expect(want, w.finish()); w.expo.Stats().Taken != 300 {
				t.Errorf("%+v", w.expo.Stats())
			}
		})
	}
}

// A ticket or a receipt of any form affects only its own message, and delays nothing.
func TestStrangeTicketsAndReceipts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		ticket, receipt string
		accepted        int // of one
		failed          string
	}{
		{ticket: `{"status":"ok"}`, accepted: 1},
		{ticket: `{"status":"ok","id":["x"]}`, accepted: 1},
		{ticket: `null`, failed: "NoTicket"},
		{ticket: `{"status":"error","details":[]}`, failed: "unknown"},
		{ticket: `{"status":"ok","id":"never-given"}`, accepted: 1, failed: "VALIDATION_ERROR"},
		{receipt: `[]`, accepted: 1, failed: "unknown"},
		{receipt: `{"status":"error","details":null}`, accepted: 1, failed: "unknown"},
	} {
		t.Run(tc.ticket+tc.receipt, func(t *testing.T) {
			inWorld(t, fakeexpo.Options{StrictIDs: true}, func(t *testing.T, w *world) {
				strange := app
				strange.Ticket.JSON, strange.Receipt.JSON = tc.ticket, tc.receipt
				w.add(1, strange, "p")
				w.add(99, app, "p")
				want := outbox.Counts{Accepted: 99 + tc.accepted, Delivered: 99}
				if tc.failed == "" {
					want.NoReceipt = 1
				} else {
					want.Failed = map[string]int{tc.failed: 1}
				}
				began := time.Now()
				w.expect(want, w.finish())
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
			inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
				w.addTwo(550, true)
				time.AfterFunc(time.Minute, func() { w.expo.Refuse(other.Project, tc.refusal) })
				err := w.run(t.Context())
				got, _, _ := w.totals()
				isRead := got.Delivered == 550 || tc.refusal.Status == 308 // a redirect means that the address is wrong for all projects
				if got.Accepted != 1100 || !isRead || got.Failed != nil || !errors.Is(err, tc.want) {
					t.Errorf("%v, %+v", err, got)
				}
				if n := w.expo.Stats().Refused[tc.refusal.Code]; n > tc.most {
					t.Errorf("refused %d times", n)
				}
				w.expo.Refuse(other.Project, fakeexpo.Refusal{})
				w.expect(outbox.Counts{Accepted: 1100, Delivered: 1100}, w.finish())
			})
		})
	}
}
