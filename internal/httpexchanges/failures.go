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
