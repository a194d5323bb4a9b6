package infrastructure

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// limits.json, which Terraform and SST read, has the defaults and bounds of the package store.
func TestLimitsAreTheLibrarys(t *testing.T) {
	type limit struct{ Default, Least, Most int }
	days := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	want := map[string]limit{
		"tokenTtlDays": {days(store.DefaultTTL), days(store.MinTTL), days(store.MaxTTL)},
		"maxDevices":   {store.DefaultMaxDevices, 1, store.MaxMaxDevices},
	}
	var got map[string]limit
	readJSON(t, "limits.json", &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits.json (-store +got):\n%s", diff)
	}
}

// Terraform and SST take the kinds of bearer token that the library verifies.
func TestTokenKindsAreTheLibrarys(t *testing.T) {
	want := matches(t, "../httpapi/oidcauth/*.go", `Kind = "([a-z-]+)"`)
	for path, list := range map[string]string{
		"variables.tf":           `contains\(\[(.*)\], var\.authorizer\.token\)`,
		"sst/stacks/settings.ts": `\[(.*)\]\.includes\(a\.token\)`,
	} {
		got := strings.Split(strings.ReplaceAll(matches(t, path, list)[0], `"`, ""), ", ")
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kinds of token (-oidcauth +%s):\n%s", path, diff)
		}
	}
}

// The API has the path that the handler serves.
func TestPathIsTheLibrarys(t *testing.T) {
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var got []string
		for _, address := range p.addresses(t, "aws_api_gateway_resource") {
			var v struct {
				Part string `json:"path_part"`
			}
			p.decode(t, address, &v)
			got = append(got, v.Part)
		}
		want := strings.Split(strings.Trim(httpapi.Path, "/"), "/")
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("path (-httpapi +plan):\n%s", diff)
		}
	})
}

// Terraform and SST set the variables that examples/lambda reads, except DEVICE_TOKEN_OIDC_ALLOW_HTTP: both deployments
// require https. This module cannot import that package, so the test reads its sources.
func TestEnvironmentIsTheFunctions(t *testing.T) {
	const allowHTTP = "DEVICE_TOKEN_OIDC_ALLOW_HTTP"
	want := slices.DeleteFunc(literals(t), func(s string) bool { return !strings.HasPrefix(s, "DEVICE_TOKEN_") || s == allowHTTP })
	for _, file := range []string{"function.tf", "sst/stacks/function.ts"} {
		if diff := cmp.Diff(want, matches(t, file, `\b(DEVICE_TOKEN_[A-Z_]+)\s*[=:]`)); diff != "" {
			t.Errorf("variables (-examples/lambda +%s):\n%s", file, diff)
		}
	}
}

// The dashboard shows metrics that examples/lambda writes.
func TestMetricsAreTheFunctions(t *testing.T) {
	written := literals(t)
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var v struct {
			Body struct {
				Widgets []struct {
					Properties struct{ Metrics [][]string }
				}
			} `json:"dashboard_body"`
		}
		p.decode(t, "aws_cloudwatch_dashboard.main", &v)
		shown := 0
		for _, w := range v.Body.Widgets {
			for _, m := range w.Properties.Metrics {
				if strings.HasPrefix(m[0], "AWS/") {
					continue
				}
				shown++
				for _, name := range m[:3] { // namespace, metric, dimension
					if !slices.Contains(written, name) {
						t.Errorf("the dashboard shows %q, which examples/lambda does not write", m[:3])
					}
				}
			}
		}
		if shown != 8 {
			t.Errorf("the dashboard shows %d metrics of the function, want 8", shown)
		}
	})
}

// A problem is an error response as the client sees it, without the request id.
type problem struct {
	Status   int
	Document map[string]any
	Headers  map[string]string
}

// The gateway's own error responses equal those of httpapi, where both have the problem. A 5XX keeps the gateway's
// status, so its document has no status.
func TestProblemsAreTheLibrarys(t *testing.T) {
	signedIn := func(*http.Request) (tokens.UserID, error) { return "user", nil }
	signedOut := func(*http.Request) (tokens.UserID, error) { return "", httpapi.ErrUnauthenticated }
	broken := func(*http.Request) (tokens.UserID, error) { return "", errors.New("broken") }

	list := httptest.NewRequest(http.MethodGet, httpapi.Path, nil)
	unknown := httptest.NewRequest(http.MethodGet, "/v1/nothing", nil)
	large := httptest.NewRequest(http.MethodPost, httpapi.Path, strings.NewReader(`{"deviceId":"`+strings.Repeat("x", 1<<20)+`"}`))
	large.Header.Set("Content-Type", "application/json")

	for _, test := range []struct {
		response     string
		authenticate httpapi.Authenticator
		request      *http.Request
	}{
		{"UNAUTHORIZED", signedOut, list},
		{"EXPIRED_TOKEN", signedIn, unknown},
		{"INVALID_SIGNATURE", signedIn, unknown},
		{"MISSING_AUTHENTICATION_TOKEN", signedIn, unknown},
		{"RESOURCE_NOT_FOUND", signedIn, unknown},
		{"REQUEST_TOO_LARGE", signedIn, large},
		{"DEFAULT_5XX", broken, list},
	} {
		t.Run(test.response, func(t *testing.T) {
			response := httptest.NewRecorder()
			handler := httpapi.MustNew(memstore.MustNew(store.Policy{}), test.authenticate, httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
			handler.ServeHTTP(response, test.request)
			want := problem{Status: response.Code, Headers: map[string]string{}}
			if err := json.Unmarshal(response.Body.Bytes(), &want.Document); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Cache-Control", "Content-Type", "X-Content-Type-Options", "WWW-Authenticate"} {
				if value := response.Header().Get(name); value != "" {
					want.Headers["gatewayresponse.header."+name] = "'" + value + "'"
				}
			}
			if test.response == "DEFAULT_5XX" {
				want.Status = 0
				delete(want.Document, "status")
			}
			requestID(t, want.Document)
			eachStage(t, func(t *testing.T, _ string, p plan) {
				var v struct {
					Type      string            `json:"response_type"`
					Status    int               `json:"status_code,string"`
					Headers   map[string]string `json:"response_parameters"`
					Templates struct {
						Document map[string]any `json:"application/json"`
					} `json:"response_templates"`
				}
				p.decode(t, `aws_api_gateway_gateway_response.problem["`+test.response+`"]`, &v)
				requestID(t, v.Templates.Document)
				delete(v.Headers, "gatewayresponse.header.Retry-After") // httpapi sends it with a 503 only
				got := problem{v.Status, v.Templates.Document, v.Headers}
				if diff := cmp.Diff(want, got); diff != "" || v.Type != test.response {
					t.Errorf("problem of %s (-httpapi +gateway):\n%s", v.Type, diff)
				}
			})
		})
	}
}

// requestID requires the document's request id, and removes it.
func requestID(t *testing.T, document map[string]any) {
	t.Helper()
	if id, ok := document["requestId"].(string); !ok || id == "" {
		t.Errorf("no request id in %v", document)
	}
	delete(document, "requestId")
}

// literals returns the strings in the sources of the function, sorted.
func literals(t *testing.T) []string {
	t.Helper()
	var all []string
	for path := range sourceFiles(t, "../examples/lambda/internal/function/*.go") {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for node := range ast.Preorder(file) {
			if lit, ok := node.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					all = append(all, s)
				}
			}
		}
	}
	return distinct(all)
}

// matches returns the first group of each match of the pattern in the files, sorted.
func matches(t *testing.T, files, pattern string) []string {
	t.Helper()
	var all []string
	for _, text := range sourceFiles(t, files) {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, match[1])
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has nothing like %s", files, pattern)
	}
	return distinct(all)
}

// sourceFiles returns the texts of the files, without tests, by their paths.
func sourceFiles(t *testing.T, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has %d files: %v", pattern, len(paths), err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

func distinct(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}
