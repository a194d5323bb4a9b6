package sender

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
			inWorld(t, fmt.Sprint(code, others), func(w *world) {
				w.add(others, app, "p")
				w.add(1, bad, "p")
				alone := map[string]int{code: 1}
				if others == 0 {
					w.leave(ErrRefused, outbox.Counts{}, alone)
					return
				}
				w.finish(outbox.Counts{Accepted: others, Delivered: others, Failed: alone})
				if sends, most := w.expo.Stats().Sends, (others+1)/100+14; sends > most {
					w.Errorf("%d requests, want at most %d", sends, most)
				}
			})
		}
	}
}

// Many refused messages, next to each other on the list as one attacker's are, fail alone.
func TestManyRefused(t *testing.T) {
	t.Parallel()
	for _, bads := range []int{40, 60} {
		inWorld(t, fmt.Sprint(bads), func(w *world) {
			w.add(bads, refusals["UNAUTHORIZED"], "p")
			w.add(220-bads, app, "p")
			w.finish(outbox.Counts{Accepted: 220 - bads, Delivered: 220 - bads, Failed: map[string]int{"UNAUTHORIZED": bads}})
		})
	}
}

// If Expo has accepted no message of a project, a run gives up the project after a few
// refusals. The next run begins with the messages that were not tried, so a message
// among many of an attacker is sent in the end.
func TestRefusedFirst(t *testing.T) {
	t.Parallel()
	for i := range 6 { // the messages are in random order
		inWorld(t, fmt.Sprint(i), func(w *world) {
			const bads = 24
			w.add(bads, refusals["UNAUTHORIZED"], "p")
			w.add(1, app, "p")
			for runs := 0; w.expo.Stats().Taken == 0; runs++ {
				if err := w.run(w.Context()); err != nil && !errors.Is(err, ErrRefused) || runs > 4*bads/mostSuspects {
					w.Fatalf("after %d runs: %v", runs, err)
				}
			}
		})
	}
}

// A project that Expo refuses as a whole does not affect other projects, even if its users
// are first on the list. It costs few requests, and the next run tries it again.
func TestProjectRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		add    func(w *world)
		page   int
	}{
		"named":                  {401, func(w *world) { w.addTwo(300, "p", "other") }, 200},
		"without a project":      {401, func(w *world) { w.addTwo(300, "", "") }, 200},
		"refused with a 200":     {200, func(w *world) { w.addTwo(300, "", "") }, 200},
		"the refused ones first": {401, func(w *world) { w.add(300, other, "other"); w.add(50, app, "p") }, 50},
	} {
		inWorld(t, name, func(w *world) {
			tc.add(w)
			w.o.PageUsers = tc.page
			all, fine := len(w.users), len(w.users)-300
			w.expo.Refuse(other.Project, fakeexpo.Refusal{Status: tc.status, Code: "UNAUTHORIZED"})
			w.leave(ErrRefused, outbox.Counts{Accepted: fine, Delivered: fine}, map[string]int{"UNAUTHORIZED": 300})
			if n := w.expo.Stats().Refused["UNAUTHORIZED"]; n > 40 {
				w.Errorf("refused %d times", n)
			}
			w.expo.Refuse(other.Project, fakeexpo.Refusal{})
			w.finish(outbox.Counts{Accepted: all, Delivered: all})
			w.took(all)
		})
	}
}

// If Expo accepts no request, a run ends after few requests, and loses no message.
func TestNothingAccepted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault fakeexpo.Fault
		most  int // requests
		want  string
	}{
		"redirect":     {fakeexpo.Fault{Status: 307, Location: "http://other.test/send"}, 6, "send: expo answered 307"},
		"no answer":    {fakeexpo.Fault{Status: 502}, 70, ErrGaveUp.Error()},
		"access token": {fakeexpo.Fault{Status: 401, Code: "UNAUTHORIZED"}, 30, ErrRefused.Error()},
	} {
		inWorld(t, name, func(w *world) {
			w.fail(tc.fault)
			w.add(1000, app, "p")
			w.o.PageUsers = 20
			err := w.run(w.Context())
			if n := w.expo.Stats().Sends; err == nil || !strings.Contains(err.Error(), tc.want) || n > tc.most {
				w.Errorf("got %v after %d requests", err, n)
			}
			if got, _, _ := w.totals(); got.Planned > 500 || got.Failed != nil {
				w.Errorf("%+v, with a list that is refused from its beginning", got)
			}
			w.fail(fakeexpo.Fault{})
			w.finish(outbox.Counts{Accepted: 1000, Delivered: 1000})
			w.took(1000)
		})
	}
}

// A batch that Expo always answers with a 5xx does not affect other batches. Each run
// splits it, until the message at fault is alone.
func TestNeverAnswered(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		w.add(299, app, "p")
		w.add(1, refused(500, "INTERNAL_SERVER_ERROR"), "p")
		for runs := 0; ; runs++ {
			if err := w.run(w.Context()); !errors.Is(err, ErrGaveUp) {
				w.Fatalf("got %v, want ErrGaveUp", err)
			}
			got, left, _ := w.totals()
			if left[noAnswer] == 1 {
				w.expect(outbox.Counts{Accepted: 299, Delivered: 299}, left)
				return
			}
			if got.Delivered < 200 || runs > 8 {
				w.Fatalf("run %d: %+v, left %v", runs, got, left)
			}
		}
	})
}

// If Expo accepts the messages but answers with another number of tickets, the messages
// are not sent again, and other batches are sent.
func TestOtherNumberOfTickets(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		w.fault = func(r fakeexpo.Request) (f fakeexpo.Fault) {
			if r.Send && r.Number == 2 {
				f.Body = `{"data":[{"status":"ok","id":"1"}]}`
			}
			return f
		}
		w.add(300, app, "p")
		w.o.Workers = 1
		w.finish(outbox.Counts{Accepted: 200, Delivered: 200, Failed: map[string]int{"NoTicket": 100}})
		w.took(300)
	})
}

// A ticket or a receipt of any form affects only its own message, and delays nothing.
func TestStrangeTicketsAndReceipts(t *testing.T) {
	t.Parallel()
	failed := func(code string) map[string]int { return map[string]int{code: 1} }
	for _, tc := range []struct {
		ticket, receipt string
		want            outbox.Counts // of the one message
	}{
		{`{"status":"ok"}`, "", outbox.Counts{Accepted: 1, NoReceipt: 1}},
		{`null`, "", outbox.Counts{Failed: failed("NoTicket")}},
		{`{"status":"error","details":[]}`, "", outbox.Counts{Failed: failed("unknown")}},
		{`{"status":"ok","id":"never-given"}`, "", outbox.Counts{Accepted: 1, Failed: failed("VALIDATION_ERROR")}},
		{"", `[]`, outbox.Counts{Accepted: 1, Failed: failed("unknown")}},
	} {
		inWorld(t, tc.ticket+tc.receipt, func(w *world) {
			w.fail(fakeexpo.Fault{StrictIDs: true})
			strange := app
			strange.Ticket.JSON, strange.Receipt.JSON = tc.ticket, tc.receipt
			w.add(1, strange, "p")
			w.add(99, app, "p")
			tc.want.Accepted, tc.want.Delivered = 99+tc.want.Accepted, 99
			began := time.Now()
			w.finish(tc.want)
			if took := time.Since(began); took > 2*delay {
				w.Errorf("it took %v", took)
			}
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
		read    int // a redirect means that the address is wrong for all projects
		most    int // refused requests
	}{
		{fakeexpo.Refusal{Status: 401, Code: "UNAUTHORIZED"}, ErrRefused, 550, 40},
		{fakeexpo.Refusal{Status: 500, Code: "INTERNAL_SERVER_ERROR"}, ErrGaveUp, 550, 80},
		{fakeexpo.Refusal{Status: 308, Code: "MOVED"}, ErrRefused, 0, 4},
	} {
		inWorld(t, tc.refusal.Code, func(w *world) {
			w.addTwo(550, "p", "other")
			time.AfterFunc(time.Minute, func() { w.expo.Refuse(other.Project, tc.refusal) })
			w.leave(tc.want, outbox.Counts{Accepted: 1100, Delivered: tc.read}, nil)
			if n := w.expo.Stats().Refused[tc.refusal.Code]; n > tc.most {
				w.Errorf("refused %d times", n)
			}
			w.expo.Refuse(other.Project, fakeexpo.Refusal{})
			w.finish(outbox.Counts{Accepted: 1100, Delivered: 1100})
		})
	}
}
