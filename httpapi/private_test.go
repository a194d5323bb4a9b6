package httpapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// checkPrivate looks for secrets in the response, the log and the event.
func checkPrivate(t *testing.T, e httpexchanges.Exchange, resp *http.Response, text string) {
	t.Helper()
	for _, what := range shown(e, resp, text) {
		t.Errorf("%s is in the answer, in the log or in the event:\n%s", what, text)
	}
}

// shown returns the secrets of the exchange that its response or the text contains, in
// any encoding.
func shown(e httpexchanges.Exchange, resp *http.Response, text string) (all []string) {
	for name, values := range resp.Header {
		text += "\n" + name + ": " + strings.Join(values, "\n")
	}
	var private leak.Trace
	private.Add(httpexchanges.Private()...)
	if what := private.Find(text); what != "" {
		all = append(all, what)
	}
	if e.Want.Code != "" {
		for _, echo := range httpexchanges.Echoes() {
			if strings.Contains(text, echo) {
				all = append(all, strconv.Quote(echo))
			}
		}
	}
	return all
}

// TestPrivateIsNoticed has a store and an authenticator that tell too much, and a
// metric: what the test above relies on has to notice.
func TestPrivateIsNoticed(t *testing.T) {
	for _, secret := range httpexchanges.Private() {
		for name, e := range map[string]httpexchanges.Exchange{
			"an error of the store, which is logged": {Method: "GET", Store: func(s store.Store) store.Store {
				return indiscreet{s, fmt.Errorf("%x", secret)}
			}},
			"an error of the authenticator, which is logged": {Method: "GET", Authenticate: func(*http.Request) (tokens.UserID, error) {
				return "", fmt.Errorf("no %s", secret)
			}},
			"a field of a problem": {Method: "GET", Store: func(s store.Store) store.Store {
				return indiscreet{s, &tokens.InvalidError{Fields: []tokens.FieldError{{Field: secret, Code: tokens.CodeUnknown}}}}
			}},
			"a device in an answer": {Method: "GET", Given: []tokens.Request{{
				Key:   tokens.Key{UserID: httpexchanges.Alice, DeviceID: tokens.DeviceID(secret)},
				Token: tokens.MustParseToken("ExpoPushToken[x]"), Platform: tokens.IOS,
			}}},
		} {
			t.Run(name, func(t *testing.T) {
				var log bytes.Buffer
				_, resp, err := e.Do(t.Context(), slog.New(slog.NewJSONHandler(&log, nil)), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				if len(shown(e, resp, string(body)+log.String())) == 0 {
					t.Errorf("goes unnoticed: %s%s", body, &log)
				}
			})
		}
		event := fmt.Sprintf("%+v", httpapi.Event{Route: "/" + secret})
		if len(shown(httpexchanges.Exchange{}, &http.Response{}, event)) == 0 {
			t.Errorf("an event goes unnoticed: %s", event)
		}
	}
}

// indiscreet is a store whose List fails with an error that tells too much.
type indiscreet struct {
	store.Store
	err error
}

func (s indiscreet) List(context.Context, tokens.UserID) ([]tokens.Registration, error) {
	return nil, s.err
}
