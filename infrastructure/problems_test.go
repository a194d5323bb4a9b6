package infrastructure

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A problem as the client sees it. The request ids differ.
type problem struct {
	Status      int
	Document    map[string]any
	ContentType string
	Cache       string
	NoSniff     string
	Challenge   string
}

// What the gateway answers itself equals what httpapi answers, where both have the
// problem. A 500 of the gateway has the gateway's status, and so no member of that
// name.
func TestProblemsAreTheLibrarys(t *testing.T) {
	signedIn := func(*http.Request) (tokens.UserID, error) { return "user", nil }
	signedOut := func(*http.Request) (tokens.UserID, error) { return "", httpapi.ErrUnauthenticated }
	broken := func(*http.Request) (tokens.UserID, error) { return "", errors.New("broken") }

	large := httptest.NewRequest(http.MethodPost, "/v1/device-tokens", strings.NewReader(`{"deviceId":"`+strings.Repeat("x", 1<<20)+`"}`))
	large.Header.Set("Content-Type", "application/json")

	for _, test := range []struct {
		response     string
		authenticate httpapi.Authenticator
		request      *http.Request
	}{
		{"UNAUTHORIZED", signedOut, httptest.NewRequest(http.MethodGet, "/v1/device-tokens", nil)},
		{"EXPIRED_TOKEN", signedIn, httptest.NewRequest(http.MethodGet, "/v1/nothing", nil)},
		{"INVALID_SIGNATURE", signedIn, httptest.NewRequest(http.MethodGet, "/v1/nothing", nil)},
		{"MISSING_AUTHENTICATION_TOKEN", signedIn, httptest.NewRequest(http.MethodGet, "/v1/nothing", nil)},
		{"RESOURCE_NOT_FOUND", signedIn, httptest.NewRequest(http.MethodGet, "/v1/nothing", nil)},
		{"REQUEST_TOO_LARGE", signedIn, large},
		{"DEFAULT_5XX", broken, httptest.NewRequest(http.MethodGet, "/v1/device-tokens", nil)},
	} {
		t.Run(test.response, func(t *testing.T) {
			answer := httptest.NewRecorder()
			handler := httpapi.MustNew(memstore.MustNew(store.Policy{}), test.authenticate, httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
			handler.ServeHTTP(answer, test.request)
			want := problem{
				Status:      answer.Code,
				Document:    object(t, answer.Body.String()),
				ContentType: answer.Header().Get("Content-Type"),
				Cache:       answer.Header().Get("Cache-Control"),
				NoSniff:     answer.Header().Get("X-Content-Type-Options"),
				Challenge:   answer.Header().Get("WWW-Authenticate"),
			}
			if test.response == "DEFAULT_5XX" {
				want.Status = 0
				delete(want.Document, "status")
			}
			eachStage(t, func(t *testing.T, _ string, p plan) {
				if diff := cmp.Diff(want, planned(t, p, test.response)); diff != "" {
					t.Errorf("problem (-httpapi +gateway):\n%s", diff)
				}
			})
		})
	}
}

// planned returns the gateway's answer of that type.
func planned(t *testing.T, p plan, response string) problem {
	t.Helper()
	for _, r := range p.resources("aws_api_gateway_gateway_response") {
		var v struct {
			Type      string            `json:"response_type"`
			Status    int               `json:"status_code,string"`
			Headers   map[string]string `json:"response_parameters"`
			Templates map[string]string `json:"response_templates"`
		}
		r.decode(t, &v)
		if v.Type != response {
			continue
		}
		header := func(name string) string {
			return strings.Trim(v.Headers["gatewayresponse.header."+name], "'")
		}
		return problem{
			Status:      v.Status,
			Document:    object(t, v.Templates["application/json"]),
			ContentType: header("Content-Type"),
			Cache:       header("Cache-Control"),
			NoSniff:     header("X-Content-Type-Options"),
			Challenge:   header("WWW-Authenticate"),
		}
	}
	t.Fatalf("the plan has no gateway response %s", response)
	return problem{}
}

// object reads a problem document, whose request id must be there, and leaves that
// out.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if id, ok := members["requestId"].(string); !ok || id == "" {
		t.Errorf("no request id in %s", text)
	}
	delete(members, "requestId")
	return members
}
