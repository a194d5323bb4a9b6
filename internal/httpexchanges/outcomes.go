package httpexchanges

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// successes are requests that the store handles, on every method.
func successes() []Exchange {
	createdAs := func(device string) Answer {
		return Answer{Status: 201, Body: answered(device, "ios"), Outcome: store.Created}
	}
	created := createdAs("phone")
	listed := func(registrations string) Answer {
		return Answer{Status: 200, Body: `{"deviceTokens":[` + registrations + `]}`, Outcome: store.OK}
	}
	removed := Answer{Status: 204, Outcome: store.OK}
	longest := strings.Repeat("\U0001F4F1", tokens.MaxDeviceIDLen) // four bytes, and two UTF-16 units, each

	after := func(e Exchange, given ...tokens.Request) Exchange {
		e.Given = given
		return e
	}
	at := func(e Exchange, target string) Exchange {
		e.Target = httpapi.Path + target
		return e
	}
	remove := func(name, query string) Exchange {
		return Exchange{Name: name, Method: "DELETE", Target: httpapi.Path + "?" + query, Want: removed}
	}
	get := func(name string, want Answer) Exchange { return Exchange{Name: name, Method: "GET", Want: want} }

	withParameters := post("create, a charset and other parameters", valid, created)
	withParameters.Header = map[string]string{"Content-Type": "Application/JSON; Charset=UTF-8; v=1", "Content-Encoding": "identity"}
	chunked := post("create, chunked", valid, created)
	chunked.Size = -1
	older := get("list a row of an older service, which lacks times", listed(`{"deviceId":"phone","platform":"ios"}`))
	older.Store = func(s store.Store) store.Store { return olderRow{s} }
	named := get("a sane request id is kept", listed(""))
	named.Header = map[string]string{"X-Request-Id": "1-67a_b.C"}
	named.Want.Header = named.Header

	return []Exchange{
		post("create", valid, created),
		post("create with a project",
			`{"deviceId":"phone","expoPushToken":"`+token+`","platform":"android","projectId":"@example/app"}`, Answer{
				Status: 201, Outcome: store.Created,
				Body: `{"deviceId":"phone","platform":"android","projectId":"@example/app",` + answeredTimes + `}`,
			}),
		post("create, an empty project is none", valid[:len(valid)-1]+`,"projectId":""}`, created),
		post("create with the bare form of a token", body("phone", bare), created),
		post("create with the longest token", body("phone", "ExpoPushToken["+secret+strings.Repeat("~", 240-len(secret))+"]"), created),
		post("create with the longest device id, escaped", body(strings.Repeat(`\uD83D\uDCF1`, tokens.MaxDeviceIDLen), token), createdAs(longest)),
		post("create with a device id that needs escapes", body(`#\"\\\/ <\u00e9>`, token), createdAs(`#\"\\/ <é>`)),
		post("create, names and white space as JSON allows",
			" {\r\n\t\"device\\u0049d\" : \"phone\" , \"expoPushToken\":\""+token+"\",\"platform\":\"\\u0069os\"} \n", created),
		withParameters,
		chunked,
		at(post("create, a user in the query changes nothing", valid, created), "?userId="+Bob+"&deviceId="+Echo),
		at(post("create, a query that is not well-formed changes nothing", valid, created), "?%zz;"),
		after(post("refresh", valid, Answer{Status: 200, Body: answered("phone", "ios"), Outcome: store.Refreshed}),
			registered(Alice, "phone", respelled)),
		after(post("replace the token", valid, Answer{Status: 200, Body: answered("phone", "ios"), Outcome: store.Replaced}),
			registered(Alice, "phone", otherToken)),
		after(post("move the phone, which the answer does not tell", valid, created), registered(Bob, "phone", token)),
		after(post("move the phone and evict another", valid, created), registered(Bob, "phone", token),
			registered(Alice, secret, bare), registered(Alice, "watch", otherToken), registered(Alice, "tablet", respelled[:len(respelled)-1]+"3]")),
		get("list nothing", listed("")),
		after(at(get("list the caller's, by device id", listed(answered("phone", "ios")+","+answered("tablet", "ios"))), "?userId="+Bob),
			registered(Alice, "tablet", token), registered(Alice, "phone", otherToken), registered(Bob, "watch", bare)),
		older,
		{Name: "head", Method: "HEAD", Want: Answer{Status: 200, Outcome: store.OK}},
		after(remove("log out", "deviceId=phone"), registered(Alice, "phone", token)),
		remove("log out, nothing is there", "deviceId=phone&permanent=false&other=1"),
		remove("log out on a device with a name that needs escapes", "deviceId=%23%26+%F0%9F%93%B1"),
		after(remove("erase", "permanent=true&deviceId=phone"), registered(Alice, "phone", token)),
		named,
	}
}

type olderRow struct{ store.Store }

func (olderRow) List(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	reg := registered(user, "phone", token)
	return []tokens.Registration{{Key: reg.Key, Token: reg.Token, Platform: reg.Platform, Status: tokens.Active}}, nil
}

// failures are errors of the store and the authenticator, on every method.
func failures() []Exchange {
	tryAgain := Answer{
		Status: 503, Code: "try_again", Outcome: store.TryAgain, Header: map[string]string{"Retry-After": "5"},
	}
	canceled := tryAgain
	canceled.Outcome = store.Canceled
	failed := Answer{Status: 500, Code: "internal_error", Outcome: store.Failed}
	misconfigured := failed
	misconfigured.Outcome = store.Misconfigured
	invalid := refused(422, "invalid_fields", "projectId unknown", "userId reserved", "model too_long")

	var exchanges []Exchange
	onAll := func(name string, e Exchange) {
		for _, on := range []struct{ what, target, body string }{
			{"POST", "", valid}, {"GET", "", ""}, {"DELETE", httpapi.Path + "?deviceId=phone", ""},
			{"DELETE permanent", httpapi.Path + "?deviceId=phone&permanent=true", ""},
		} {
			e.Name, e.Target, e.Body, e.Blind = name+", "+on.what, on.target, on.body, true
			e.Method, _, _ = strings.Cut(on.what, " ")
			exchanges = append(exchanges, e)
		}
	}
	onAll("store says try again", Exchange{Store: failing(fmt.Errorf("throttled: %w", store.ErrTryAgain)), Want: tryAgain})
	onAll("store is misconfigured", Exchange{Store: failing(fmt.Errorf("no such table: %w", store.ErrMisconfigured)), Want: misconfigured})
	onAll("store fails", Exchange{Store: failing(errors.New("broken")), Want: failed})
	onAll("store says canceled, but the context is not", Exchange{Store: failing(context.Canceled), Want: failed})
	onAll("store panics", Exchange{Store: panicking(secret), Want: failed})
	onAll("store divides by zero", Exchange{Store: panicking(nil), Want: failed})
	onAll("client has gone", Exchange{Context: gone, Want: canceled})
	onAll("client has gone and the store panics", Exchange{Context: gone, Store: panicking(secret), Want: failed})
	onAll("out of time", Exchange{Context: late, Want: tryAgain})
	onAll("keys cannot be fetched", Exchange{Authenticate: authError(fmt.Errorf("keys: %w", store.ErrTryAgain)), Want: tryAgain})
	onAll("authenticator fails", Exchange{Authenticate: authError(errors.New("broken")), Want: failed})
	onAll("authenticator says invalid", Exchange{Authenticate: authError(&tokens.InvalidError{Fields: []tokens.FieldError{
		{Field: tokens.FieldUserID, Code: tokens.CodeMalformed},
	}}), Want: failed})
	onAll("authenticator is out of time", Exchange{Authenticate: authError(context.DeadlineExceeded), Want: tryAgain})
	onAll("authenticator panics", Exchange{
		Authenticate: func(*http.Request) (tokens.UserID, error) { panic(errors.New(secret)) }, Want: failed,
	})
	return append(exchanges, Exchange{
		Name: "store with rules of its own", Method: "POST", Body: valid, Blind: true, Want: invalid,
		Store: failing(&tokens.InvalidError{Fields: []tokens.FieldError{
			{Field: tokens.FieldProjectID, Code: tokens.CodeUnknown},
			{Field: tokens.FieldUserID, Code: tokens.CodeReserved},
			{Field: "model", Code: tokens.CodeTooLong},
		}}),
	})
}

// faulty is a store whose calls all fail in the same way.
type faulty struct {
	store.Store
	fault func() error
}

func failing(err error) func(store.Store) store.Store {
	return func(s store.Store) store.Store { return faulty{s, func() error { return err }} }
}

// panicking returns a store that panics with v, or if v is nil as the runtime does.
func panicking(v any) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return faulty{s, func() error {
			if v != nil {
				panic(v)
			}
			zero := 0
			return fmt.Errorf("%d", 1/zero)
		}}
	}
}

func (f faulty) Register(context.Context, tokens.Request) (store.Result, error) {
	return store.Result{}, f.fault()
}

func (f faulty) List(context.Context, tokens.UserID) ([]tokens.Registration, error) {
	return nil, f.fault()
}

func (f faulty) Deactivate(context.Context, tokens.Key) error { return f.fault() }

func (f faulty) Delete(context.Context, tokens.Key) error { return f.fault() }

func gone(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func late(ctx context.Context) context.Context {
	ctx, cancel := context.WithDeadline(ctx, Now.AddDate(-10, 0, 0))
	cancel()
	return ctx
}
