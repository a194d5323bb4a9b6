// Package openapi compares package httpapi with its OpenAPI document, by a third-party
// validator. It validates every exchange of internal/httpexchanges, and random requests.
package openapi

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
)

func newValidator(t testing.TB, opts ...config.Option) validator.Validator {
	t.Helper()
	document, err := libopenapi.NewDocument(httpapi.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document, append(opts, config.WithFormatAssertions())...)
	if errs != nil {
		t.Fatal(errs)
	}
	return v
}

// explain returns the errors of the validator, one a line.
func explain(found []*errors.ValidationError) string {
	var b strings.Builder
	for _, e := range found {
		fmt.Fprintf(&b, "%s: %s\n", e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			fmt.Fprintf(&b, "  %s: %s\n", s.FieldPath, s.Reason)
		}
	}
	return b.String()
}

func TestDocument(t *testing.T) {
	v := newValidator(t)
	if ok, found := v.ValidateDocument(); !ok {
		t.Error(explain(found))
	}
}

// TestExchanges checks that the document describes each response, and that the document
// and the server accept the same requests, except for errors that a schema cannot
// express.
func TestExchanges(t *testing.T) {
	requests := newValidator(t)
	answers := newValidator(t, config.WithStrictMode()) // rejects undeclared members and headers, which requests may have
	for _, e := range httpexchanges.All() {
		t.Run(e.Name, func(t *testing.T) {
			req, resp := do(t, e)
			switch e.Want.Status {
			case http.StatusNotFound, http.StatusMethodNotAllowed:
				return // the document has no other paths and methods
			}
			if ok, found := answers.ValidateHttpResponse(req, resp); !ok {
				t.Errorf("the response is not as documented:\n%s", explain(found))
			}
			if e.Want.Status >= 400 && e.Blind {
				return
			}
			ok, found := requests.ValidateHttpRequestSync(req)
			if accepted := e.Want.Status < 400; ok != accepted {
				t.Errorf("server accepts: %v, document: %v\n%s", accepted, ok, explain(found))
			}
		})
	}
}

func do(t testing.TB, e httpexchanges.Exchange) (*http.Request, *http.Response) {
	t.Helper()
	req, resp, err := e.Do(t.Context(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return req, resp
}

// TestDoctoredAnswers shows that TestExchanges notices deviations: it changes one point
// of a valid response, which must then be invalid.
func TestDoctoredAnswers(t *testing.T) {
	v := newValidator(t, config.WithStrictMode())
	all := httpexchanges.All()
	replace := func(old, by string) func(*http.Response, *string) {
		return func(_ *http.Response, body *string) {
			if !strings.Contains(*body, old) {
				t.Fatalf("%q is not in %s", old, *body)
			}
			*body = strings.Replace(*body, old, by, 1)
		}
	}
	header := func(name, value string) func(*http.Response, *string) {
		return func(resp *http.Response, _ *string) {
			if resp.Header.Set(name, value); value == "" {
				resp.Header.Del(name)
			}
		}
	}
	status := func(code int) func(*http.Response, *string) {
		return func(resp *http.Response, _ *string) { resp.StatusCode = code }
	}
	for _, tc := range []struct {
		exchange, point string
		doctor          func(*http.Response, *string)
	}{
		{"create", "a token", replace(`"platform"`, `"expoPushToken":"ExpoPushToken[x]","platform"`)},
		{"create", "no expiry", replace(`,"expiresAt":"2027-02-21T09:00:00.000Z"`, ``)},
		{"create", "a time without milliseconds", replace(`09:00:00.000Z`, `09:00:00Z`)},
		{"create", "another platform", replace(`"ios"`, `"web"`)},
		{"create", "another status", status(202)},
		{"create", "no Cache-Control", header("Cache-Control", "")},
		{"create", "no request id", header("X-Request-Id", "")},
		{"create", "an insane request id", header("X-Request-Id", "a b")},
		{"create", "another header", header("X-Token", "ExpoPushToken[x]")},
		{"create", "another content type", header("Content-Type", "text/html")},
		{"list nothing", "null", replace(`[]`, `null`)},
		{"list nothing", "another member", replace(`{`, `{"next":"x",`)},
		{"list the caller's, by device id", "no device", replace(`"deviceId":"tablet",`, ``)},
		{"value: nothing", "another code", replace(`invalid_fields`, `broken`)},
		{"value: nothing", "a status that is not the answer's", replace(`422`, `400`)},
		{"value: nothing", "plain JSON", header("Content-Type", "application/json")},
		{"body: null", "a code that is not declared", replace(`not_an_object`, `null`)},
		{"no credential", "no challenge", header("WWW-Authenticate", "")},
		{"out of time, POST", "no Retry-After", header("Retry-After", "")},
		{"out of time, POST", "a Retry-After in words", header("Retry-After", "soon")},
		{"store fails, POST", "the store's error", replace(`"code"`, `"cause":"broken","code"`)},
	} {
		t.Run(tc.exchange+" with "+tc.point, func(t *testing.T) {
			i := slices.IndexFunc(all, func(e httpexchanges.Exchange) bool { return e.Name == tc.exchange })
			if i < 0 {
				t.Fatal("there is no such exchange")
			}
			req, resp := do(t, all[i])
			original, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body = io.NopCloser(bytes.NewReader(original))
			if ok, found := v.ValidateHttpResponse(req, resp); !ok {
				t.Fatalf("refused before it was doctored:\n%s", explain(found))
			}
			body := string(original)
			tc.doctor(resp, &body)
			resp.Body = io.NopCloser(strings.NewReader(body))
			if ok, _ := v.ValidateHttpResponse(req, resp); ok {
				t.Errorf("the validator accepts %s", body)
			}
		})
	}
}
