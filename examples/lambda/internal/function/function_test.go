package function

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A request is what the adapter has to make of an event.
type request struct {
	Method, Path, Escaped, Body, Host string
	Query                             url.Values
	Header                            http.Header
	Claims                            map[string]string
	Gateway                           string
}

func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name  string
		event string
		want  request
	}{
		{
			name: "REST",
			event: `{
				"resource": "/v1/device-tokens", "path": "/v1/device-tokens", "httpMethod": "DELETE",
				"headers": {"Host": "x.example", "X-Two": "2"}, "multiValueHeaders": {"Host": ["x.example"], "X-Two": ["1", "2"]},
				"queryStringParameters": {"deviceId": "b"}, "multiValueQueryStringParameters": {"deviceId": ["ä #&=?+%/", "b"], "permanent": ["true"]},
				"pathParameters": null, "stageVariables": null,
				"requestContext": {"requestId": "g-1", "stage": "prod", "path": "/prod/v1/device-tokens",
					"authorizer": {"claims": {"sub": "alice", "exp": "Mon Nov 23 09:00:00 UTC 2026"}}},
				"body": null, "isBase64Encoded": false}`,
			want: request{
				Method: "DELETE", Path: "/v1/device-tokens", Host: "x.example", Gateway: "g-1",
				Query:  url.Values{"deviceId": {"ä #&=?+%/", "b"}, "permanent": {"true"}},
				Header: http.Header{"Host": {"x.example"}, "X-Two": {"1", "2"}},
				Claims: map[string]string{"sub": "alice", "exp": "Mon Nov 23 09:00:00 UTC 2026"},
			},
		},
		{
			name: "REST, nothing there",
			event: `{"path": "/", "httpMethod": "GET", "headers": null, "multiValueHeaders": null, "queryStringParameters": null,
				"multiValueQueryStringParameters": null, "requestContext": {}, "body": null}`,
			want: request{Method: "GET", Path: "/"},
		},
		{
			name:  "REST, a path as it was sent",
			event: `{"path": "/v1%2Fdevice-tokens/%C3%A4", "httpMethod": "GET", "requestContext": {}}`,
			want:  request{Method: "GET", Path: "/v1/device-tokens/ä", Escaped: "/v1%2Fdevice-tokens/%C3%A4"},
		},
		{
			name:  "REST, a path that has no meaning",
			event: `{"path": "/%zz", "httpMethod": "GET", "requestContext": {}}`,
			want:  request{Method: "GET", Path: "/%zz", Escaped: "/%25zz"},
		},
		{
			name:  "REST, base64",
			event: `{"path": "/", "httpMethod": "POST", "requestContext": {}, "body": "w6QAIQ==", "isBase64Encoded": true}`,
			want:  request{Method: "POST", Path: "/", Body: "ä\x00!"},
		},
		{
			name:  "REST, a Lambda authorizer's values are no claims",
			event: `{"path": "/", "httpMethod": "GET", "requestContext": {"authorizer": {"sub": "alice", "principalId": "alice", "claims": "{}"}}}`,
			want:  request{Method: "GET", Path: "/"},
		},
		{
			name: "HTTP",
			event: `{
				"version": "2.0", "routeKey": "$default", "rawPath": "/v1/device-tokens",
				"rawQueryString": "deviceId=%C3%A4+%23&deviceId=b%2C", "queryStringParameters": {"deviceId": "ä #,b,"},
				"cookies": ["a=1", "b=2"], "headers": {"host": "x.example", "x-two": "1,2"},
				"requestContext": {"apiId": "x", "domainPrefix": "x", "requestId": "g-2=", "stage": "$default",
					"http": {"method": "POST", "path": "/v1/device-tokens"},
					"authorizer": {"jwt": {"claims": {"sub": "alice"}, "scopes": null}}},
				"body": "{}", "isBase64Encoded": false}`,
			want: request{
				Method: "POST", Path: "/v1/device-tokens", Host: "x.example", Gateway: "g-2=", Body: "{}",
				Query:  url.Values{"deviceId": {"ä #", "b,"}},
				Header: http.Header{"Host": {"x.example"}, "X-Two": {"1,2"}, "Cookie": {"a=1; b=2"}},
				Claims: map[string]string{"sub": "alice"},
			},
		},
		{
			name:  "HTTP, nothing there",
			event: `{"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}}`,
			want:  request{Method: "GET", Path: "/"},
		},
		{
			name: "HTTP, a stage in the path",
			event: `{"version": "2.0", "rawPath": "/prod/v1/device-tokens",
				"requestContext": {"apiId": "x", "domainPrefix": "x", "stage": "prod", "http": {"method": "GET"}}}`,
			want: request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name: "HTTP, a path that begins like the stage",
			event: `{"version": "2.0", "rawPath": "/v1x/device-tokens",
				"requestContext": {"apiId": "x", "domainPrefix": "x", "stage": "v1", "http": {"method": "GET"}}}`,
			want: request{Method: "GET", Path: "/v1x/device-tokens"},
		},
		{
			name: "HTTP, a domain of one's own, where the path has no stage",
			event: `{"version": "2.0", "rawPath": "/v1/device-tokens",
				"requestContext": {"apiId": "x", "domainPrefix": "api", "stage": "v1", "http": {"method": "GET"}}}`,
			want: request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name: "HTTP, a decoded path with what ends a path",
			event: `{"version": "2.0", "rawPath": "/a?b#c%2F", "rawQueryString": "d",
				"requestContext": {"stage": "$default", "http": {"method": "GET"}}}`,
			want: request{Method: "GET", Path: "/a?b#c%2F", Escaped: "/a%3Fb%23c%252F", Query: url.Values{"d": {""}}},
		},
		{
			name:  "HTTP, base64",
			event: `{"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "PUT"}}, "body": "w6QAIQ==", "isBase64Encoded": true}`,
			want:  request{Method: "PUT", Path: "/", Body: "ä\x00!"},
		},
		{
			name: "HTTP, a Lambda authorizer's values are no claims",
			event: `{"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"},
				"authorizer": {"lambda": {"sub": "alice", "claims": {"sub": "alice"}}}}}`,
			want: request{Method: "GET", Path: "/"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := parseEvent([]byte(test.event))
			if err != nil {
				t.Fatal(err)
			}
			inv := &invocation{}
			r, err := e.request(t.Context(), inv)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want.Query == nil {
				want.Query = url.Values{}
			}
			if want.Header == nil {
				want.Header = http.Header{}
			}
			if want.Escaped == "" {
				want.Escaped = want.Path
			}
			if len(inv.claims) == 0 {
				inv.claims = nil
			}
			if diff := cmp.Diff(want, request{
				Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), Body: string(body), Host: r.Host,
				Query: r.URL.Query(), Header: r.Header, Claims: inv.claims, Gateway: inv.gatewayRequestID,
			}); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if r.ContentLength != int64(len(body)) {
				t.Errorf("content length is %d, the body has %d bytes", r.ContentLength, len(body))
			}
		})
	}
}

func TestNoEvents(t *testing.T) {
	f := New(Config{Authenticate: claimsUser}, memstore.New(store.Policy{}), io.Discard)
	const secret = "ExponentPushToken[secret]"
	for _, payload := range []string{
		``, `null`, `[]`, `"` + secret + `"`, `{}`, `{"key1": "` + secret + `"}`, `{"source": "aws.events"}`,
		`{"httpMethod": "POST", "path": 7, "body": "` + secret + `"}`,
		`{"httpMethod": "` + secret + `", "path": "/"}`,
		`{"httpMethod": "POST", "path": "/", "body": "` + secret + `", "isBase64Encoded": true}`,
		`{"version": "2.0", "rawPath": ["` + secret + `"]}`,
	} {
		answer, err := f.Invoke(t.Context(), []byte(payload))
		if err == nil || answer != nil {
			t.Errorf("%s is answered with %s", payload, answer)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error echoes the payload: %v", err)
		}
	}
}

// TestInvoke answers one POST of each kind, and looks at all that is written.
func TestInvoke(t *testing.T) {
	const body = `{\"deviceId\":\"phone\",\"expoPushToken\":\"ExponentPushToken[x]\",\"platform\":\"ios\"}`
	for name, test := range map[string]struct{ event, headers string }{
		"REST": {
			`{"path": "/v1/device-tokens", "httpMethod": "POST", "multiValueHeaders": {"Content-Type": ["application/json"]},
				"requestContext": {"requestId": "g-1", "authorizer": {"claims": {"sub": "alice"}}}, "body": "` + body + `"}`,
			"multiValueHeaders",
		},
		"HTTP": {
			`{"version": "2.0", "rawPath": "/v1/device-tokens", "headers": {"content-type": "application/json"},
				"requestContext": {"requestId": "g-1", "http": {"method": "POST"}, "authorizer": {"jwt": {"claims": {"sub": "alice"}}}},
				"body": "` + body + `"}`,
			"headers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			f := New(Config{Stage: "test", Authenticate: claimsUser}, memstore.New(store.Policy{}), &out)
			ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "f-1"})
			for i, status := range []float64{201, 200} {
				out.Reset()
				payload, err := f.Invoke(ctx, []byte(test.event))
				if err != nil {
					t.Fatal(err)
				}
				answer := decode(t, payload)
				if answer["statusCode"] != status || !strings.HasPrefix(answer["body"].(string), `{"deviceId":"phone"`) {
					t.Errorf("answer is %s", payload)
				}
				headers := answer[test.headers].(map[string]any)
				var id any = "f-1"
				if name == "REST" {
					id = []any{"f-1"}
				}
				if diff := cmp.Diff(id, headers["X-Request-Id"]); diff != "" {
					t.Errorf("X-Request-Id (-want +got):\n%s", diff)
				}
				if headers["Content-Length"] != nil {
					t.Error("the answer counts its bytes, which the gateway does")
				}
				lines := strings.Split(strings.TrimSpace(out.String()), "\n")
				if len(lines) != 2 {
					t.Fatalf("written are:\n%s", out.String())
				}
				line := decode(t, []byte(lines[0]))
				for attr, want := range map[string]any{
					"request_id": "f-1", "function_request_id": "f-1", "gateway_request_id": "g-1",
					"cold_start": i == 0, "status": status, "level": "INFO",
				} {
					if line[attr] != want {
						t.Errorf("log line has %s=%v, want %v", attr, line[attr], want)
					}
				}
				if decode(t, []byte(lines[1]))["_aws"] == nil {
					t.Errorf("not a metric: %s", lines[1])
				}
				if text := out.String(); strings.Contains(text, "alice") || strings.Contains(text, "PushToken[") {
					t.Errorf("a secret is written:\n%s", text)
				}
			}
		})
	}
}

// TestNoAuthorizer has a route without one: nobody is let in, and nobody is told
// that their credential is bad.
func TestNoAuthorizer(t *testing.T) {
	var out bytes.Buffer
	f := New(Config{Authenticate: claimsUser}, memstore.New(store.Policy{}), &out)
	for _, context := range []string{`{}`, `{"authorizer": {"claims": {"email": "a@example"}}}`, `{"authorizer": {"claims": {"sub": 7}}}`} {
		payload, err := f.Invoke(t.Context(), []byte(
			`{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": `+context+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if status := decode(t, payload)["statusCode"]; status != 500.0 {
			t.Errorf("%s: status is %v", context, status)
		}
		if !strings.Contains(out.String(), "has the route an authorizer?") {
			t.Errorf("the log does not say why:\n%s", out.String())
		}
	}
}

// TestMargin has a store that waits for its context, and time left for an answer.
func TestMargin(t *testing.T) {
	for _, test := range []struct{ left, want time.Duration }{
		{10 * time.Second, 10*time.Second - margin},
		{margin, margin / 2},
		{time.Millisecond, time.Millisecond / 2},
		{-time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			ctx, cancel := context.WithDeadline(t.Context(), began.Add(test.left))
			defer cancel()
			f := New(Config{Authenticate: claimsUser}, patient{memstore.New(store.Policy{})}, io.Discard)
			payload, err := f.Invoke(ctx, []byte(`{"path": "/v1/device-tokens", "httpMethod": "GET",
				"requestContext": {"authorizer": {"claims": {"sub": "alice"}}}}`))
			if err != nil {
				t.Fatal(err)
			}
			answer := decode(t, payload)
			if answer["statusCode"] != 503.0 || !strings.Contains(answer["body"].(string), "try_again") {
				t.Errorf("answer is %s", payload)
			}
			if took := time.Since(began); took != test.want {
				t.Errorf("with %v left it took %v, want %v", test.left, took, test.want)
			}
		})
	}
}

// patient is a store that lists nothing before its context is done.
type patient struct{ store.Store }

func (patient) List(ctx context.Context, _ tokens.UserID) ([]tokens.Registration, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return object
}

// FuzzEvent has events of every shape: a function that panics is started anew, and
// one request costs everybody a cold start.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": {"authorizer": {"claims": {"sub": "alice"}}}}`,
		`{"version": "2.0", "rawPath": "/x/v1", "requestContext": {"stage": "x", "http": {"method": "GET"}, "authorizer": {"jwt": null}}}`,
		`{"path": "%", "httpMethod": "GET /", "body": "e30=", "isBase64Encoded": true, "multiValueHeaders": {"": null}}`,
	} {
		f.Add([]byte(seed))
	}
	function := New(Config{Stage: "test", Authenticate: claimsUser}, memstore.New(store.Policy{}), io.Discard)
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer, err := function.Invoke(t.Context(), payload)
		if err == nil && decode(t, answer)["statusCode"].(float64) < 200 {
			t.Errorf("answer is %s", answer)
		}
	})
}
