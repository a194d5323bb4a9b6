package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	User                              tokens.UserID // by the claims
	Gateway                           string
}

func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name  string
		base  string
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
				User:   "alice",
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
					"authorizer": {"jwt": {"claims": {"sub": "alice", "exp": 1700000000, "admin": true, "groups": ["a"], "address": {}, "nonce": null}, "scopes": null}}},
				"body": "{}", "isBase64Encoded": false}`,
			want: request{
				Method: "POST", Path: "/v1/device-tokens", Host: "x.example", Gateway: "g-2=", Body: "{}",
				Query:  url.Values{"deviceId": {"ä #", "b,"}},
				Header: http.Header{"Host": {"x.example"}, "X-Two": {"1,2"}, "Cookie": {"a=1; b=2"}},
				User:   "alice",
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
			name:  "REST, claims that are no strings",
			event: `{"path": "/", "httpMethod": "GET", "requestContext": {"authorizer": {"claims": {"sub": "alice", "exp": 1700000000, "groups": []}}}}`,
			want:  request{Method: "GET", Path: "/", User: "alice"},
		},
		{
			name: "REST, single values alone",
			event: `{"path": "/", "httpMethod": "GET", "headers": {"Host": "x.example", "X-One": "1"}, "multiValueHeaders": null,
				"queryStringParameters": {"deviceId": "ä #&"}, "multiValueQueryStringParameters": {}, "Records": null, "requestContext": {"elb": null, "connectionId": null}}`,
			want: request{
				Method: "GET", Path: "/", Host: "x.example",
				Query: url.Values{"deviceId": {"ä #&"}}, Header: http.Header{"Host": {"x.example"}, "X-One": {"1"}},
			},
		},
		{
			name:  "REST, a path that begins like its stage",
			event: `{"path": "/prod/v1", "httpMethod": "GET", "requestContext": {"stage": "prod", "apiId": "x", "domainPrefix": "x"}}`,
			want:  request{Method: "GET", Path: "/prod/v1"},
		},
		{
			name:  "REST, a base path of a custom domain",
			base:  "/push/api",
			event: `{"path": "/push/api/v1%2Fdevice-tokens", "httpMethod": "GET", "requestContext": {"stage": "prod"}}`,
			want:  request{Method: "GET", Path: "/v1/device-tokens", Escaped: "/v1%2Fdevice-tokens"},
		},
		{
			name:  "REST, a base path, by the API's own domain",
			base:  "/push",
			event: `{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": {"stage": "prod"}}`,
			want:  request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name:  "REST, the base path and no more",
			base:  "/push",
			event: `{"path": "/push", "httpMethod": "GET", "requestContext": {}}`,
			want:  request{Method: "GET", Path: "/"},
		},
		{
			name:  "REST, a path that begins like the base path",
			base:  "/push",
			event: `{"path": "/pushed/v1", "httpMethod": "GET", "requestContext": {}}`,
			want:  request{Method: "GET", Path: "/pushed/v1"},
		},
		{
			name: "HTTP of version 1, a stage in the path",
			event: `{"version": "1.0", "resource": "$default", "path": "/prod/v1/device-tokens", "httpMethod": "POST",
				"headers": {"Content-Type": "text/plain"}, "multiValueHeaders": {"Content-Type": ["text/plain"]},
				"requestContext": {"apiId": "x", "domainPrefix": "x", "requestId": "g-3=", "stage": "prod", "path": "/prod/v1/device-tokens",
					"authorizer": {"claims": {"sub": "alice", "exp": 1700000000}, "scopes": null}}, "body": "{}"}`,
			want: request{
				Method: "POST", Path: "/v1/device-tokens", Body: "{}", Gateway: "g-3=", User: "alice",
				Header: http.Header{"Content-Type": {"text/plain"}},
			},
		},
		{
			name:  "HTTP of version 1, the default stage",
			event: `{"version": "1.0", "path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": {"apiId": "x", "domainPrefix": "x", "stage": "$default"}}`,
			want:  request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name:  "HTTP of version 1, a custom domain",
			base:  "/push",
			event: `{"version": "1.0", "path": "/push/v1/device-tokens", "httpMethod": "GET", "requestContext": {"apiId": "x", "domainPrefix": "api", "stage": "push"}}`,
			want:  request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name: "HTTP, a base path of a custom domain",
			base: "/push",
			event: `{"version": "2.0", "rawPath": "/push/v1/device-tokens",
				"requestContext": {"apiId": "x", "domainPrefix": "api", "stage": "prod", "http": {"method": "GET"}}}`,
			want: request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name: "HTTP, a base path, by the API's own domain and stage",
			base: "/push",
			event: `{"version": "2.0", "rawPath": "/prod/v1/device-tokens",
				"requestContext": {"apiId": "x", "domainPrefix": "x", "stage": "prod", "http": {"method": "GET"}}}`,
			want: request{Method: "GET", Path: "/v1/device-tokens"},
		},
		{
			name: "function URL",
			event: `{"version": "2.0", "routeKey": "$default", "rawPath": "/v1/device-tokens", "rawQueryString": "deviceId=a%2Fb", "cookies": null,
				"headers": {"host": "u.lambda-url.eu-central-1.on.aws"},
				"requestContext": {"accountId": "anonymous", "apiId": "u", "domainName": "u.lambda-url.eu-central-1.on.aws", "domainPrefix": "u",
					"http": {"method": "DELETE", "path": "/v1/device-tokens"}, "requestId": "g-4", "stage": "$default",
					"authorizer": {"iam": {"accountId": "1", "cognitoIdentity": null}}}}`,
			want: request{
				Method: "DELETE", Path: "/v1/device-tokens", Host: "u.lambda-url.eu-central-1.on.aws", Gateway: "g-4",
				Query: url.Values{"deviceId": {"a/b"}}, Header: http.Header{"Host": {"u.lambda-url.eu-central-1.on.aws"}},
			},
		},
		{
			name: "load balancer, single values, the query as it was sent",
			base: "/push",
			event: `{"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "DELETE", "path": "/push/v1/device-tokens",
				"queryStringParameters": {"deviceId": "%C3%A4+%23", "permanent": "true"}, "headers": {"host": "lb.example"},
				"body": "w6QAIQ==", "isBase64Encoded": true}`,
			want: request{
				Method: "DELETE", Path: "/v1/device-tokens", Host: "lb.example", Body: "ä\x00!",
				Query: url.Values{"deviceId": {"ä #"}, "permanent": {"true"}}, Header: http.Header{"Host": {"lb.example"}},
			},
		},
		{
			name: "load balancer, all values",
			event: `{"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/v1/device-tokens",
				"multiValueQueryStringParameters": {"deviceId": ["a%26", "b"]}, "multiValueHeaders": {"x-two": ["1", "2"]}, "body": "", "isBase64Encoded": false}`,
			want: request{
				Method: "GET", Path: "/v1/device-tokens",
				Query: url.Values{"deviceId": {"a&", "b"}}, Header: http.Header{"X-Two": {"1", "2"}},
			},
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
			inv := &invocation{basePath: test.base}
			r, err := e.request(context.WithValue(t.Context(), invocationKey{}, inv), inv)
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
			user, _ := claimsUser(r) // TestClaims has its errors
			if diff := cmp.Diff(want, request{
				Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), Body: string(body), Host: r.Host,
				Query: r.URL.Query(), Header: r.Header, User: user, Gateway: inv.gatewayRequestID,
			}); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if r.ContentLength != int64(len(body)) {
				t.Errorf("content length is %d, the body has %d bytes", r.ContentLength, len(body))
			}
		})
	}
}

// TestNoEvents has payloads that are no HTTP requests, or come by a way that is not
// supported: the error names it.
func TestNoEvents(t *testing.T) {
	f := New(Config{Authenticate: claimsUser}, memstore.New(store.Policy{}), io.Discard)
	const secret = "ExponentPushToken[secret]"
	for payload, says := range map[string]string{
		``: "", `null`: "", `[]`: "", `"` + secret + `"`: "", `{}`: "", `{"key1": "` + secret + `"}`: "",
		`{"httpMethod": "POST", "path": 7, "body": "` + secret + `"}`:                                           "another type",
		`{"httpMethod": "` + secret + `", "path": "/"}`:                                                         "",
		`{"httpMethod": "POST", "path": "/", "body": "` + secret + `", "isBase64Encoded": true}`:                "",
		`{"version": "2.0", "rawPath": ["` + secret + `"], "requestContext": {"http": {"method":"GET"}}}`:       "another type",
		`{"version": "2.0", "rawPath": "/", "requestContext": {"http": {}}}`:                                    "",
		`{"version": "2.0", "path": "/", "method": "POST", "requestContext": {"serviceNetworkArn": "a"}}`:       "VPC Lattice",
		`{"raw_path": "/", "method": "POST", "headers": {}}`:                                                    "VPC Lattice",
		`{"type": "REQUEST", "methodArn": "a", "httpMethod": "GET", "path": "/", "requestContext": {}}`:         "Lambda authorizer",
		`{"type": "TOKEN", "methodArn": "a", "authorizationToken": "` + secret + `"}`:                           "Lambda authorizer",
		`{"version": "2.0", "type": "REQUEST", "routeArn": "a", "requestContext": {"http": {"method": "GET"}}}`: "Lambda authorizer",
		`{"requestContext": {"connectionId": "c", "routeKey": "$connect"}}`:                                     "WebSocket",
		`{"Records": [{"eventSource": "aws:sqs", "body": "` + secret + `"}]}`:                                   "records",
		`{"version": "0", "source": "aws.events", "detail-type": "Scheduled Event"}`:                            "EventBridge",
	} {
		answer, err := f.Invoke(t.Context(), []byte(payload))
		switch {
		case err == nil || answer != nil:
			t.Errorf("%s is answered with %s", payload, answer)
		case !errors.Is(err, errNotAnEvent) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), says):
			t.Errorf("%s: the error is %v, want %q in it", payload, err, says)
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
		"HTTP of version 1": {
			`{"version": "1.0", "path": "/prod/v1/device-tokens", "httpMethod": "POST", "headers": {"Content-Type": "application/json"},
				"requestContext": {"requestId": "g-1", "stage": "prod", "authorizer": {"claims": {"sub": "alice"}}}, "body": "` + body + `"}`,
			"multiValueHeaders",
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
				if test.headers == "multiValueHeaders" {
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

// TestBalancer answers an event of a load balancer in the form that its target
// group is set to.
func TestBalancer(t *testing.T) {
	authenticate := func(*http.Request) (tokens.UserID, error) { return "alice", nil }
	f := New(Config{Authenticate: authenticate}, memstore.New(store.Policy{}), io.Discard)
	for form, want := range map[string]any{
		`"headers": {"host": "x"}`:             "application/json",
		`"multiValueHeaders": {"host": ["x"]}`: []any{"application/json"},
	} {
		payload, err := f.Invoke(t.Context(), []byte(`{"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/v1/device-tokens", `+form+`}`))
		if err != nil {
			t.Fatal(err)
		}
		answer := decode(t, payload)
		name, _, _ := strings.Cut(strings.TrimPrefix(form, `"`), `"`)
		headers, _ := answer[name].(map[string]any)
		if diff := cmp.Diff(want, headers["Content-Type"]); diff != "" || len(answer) != 5 {
			t.Errorf("answer is %s (-want +got):\n%s", payload, diff)
		}
		if answer["statusCode"] != 200.0 || answer["statusDescription"] != "OK" || answer["isBase64Encoded"] != false {
			t.Errorf("answer is %s", payload)
		}
	}
}

// TestClaims has requests that no user is read of. Without an authorizer no
// caller is let in, and none is told that the credential is bad; claims that are not
// Unicode could be those of another user.
func TestClaims(t *testing.T) {
	var out bytes.Buffer
	f := New(Config{Authenticate: claimsUser}, memstore.New(store.Policy{}), &out)
	const noAuthorizer, notUnicode = "has the route an authorizer?", "not Unicode"
	rest := `{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": `
	http := `{"version": "2.0", "rawPath": "/v1/device-tokens", "requestContext": {"http": {"method": "GET"}, "authorizer": `
	for event, want := range map[string]struct {
		status float64
		says   string
	}{
		rest + `{}}`: {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"email": "a@example"}}}}`:   {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"sub": 7}}}}`:               {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"Sub": "alice"}}}}`:         {500, noAuthorizer},
		rest + `{"authorizer": "alice"}}`:                              {500, noAuthorizer},
		rest + `{"elb": {"targetGroupArn": "arn"}}}`:                   {500, "load balancer"},
		http + `{"iam": {"userId": "alice"}}}}`:                        {500, "function URL"},
		http + `{"jwt": {"claims": [{"sub": "alice"}]}}}}`:             {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"sub": "u\ud800"}}}}`:       {401, notUnicode},
		rest + "{\"authorizer\": {\"claims\": {\"sub\": \"u\xff\"}}}}": {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u\udfff"}}}}}`:             {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u\ufffd"}}}}}`:             {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u", "x": "\ud800"}}}}}`:    {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "\ud83d\ude00"}}}}}`:        {200, ""},
	} {
		out.Reset()
		payload, err := f.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		if status := decode(t, payload)["statusCode"]; status != want.status || !strings.Contains(out.String(), want.says) {
			t.Errorf("%s: status is %v, want %v; the log has:\n%s", event, status, want.status, out.String())
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
// one request costs a cold start.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": {"authorizer": {"claims": {"sub": "alice"}}}}`,
		`{"version": "2.0", "rawPath": "/x/v1", "requestContext": {"stage": "x", "http": {"method": "GET"}, "authorizer": {"jwt": null}}}`,
		`{"path": "%", "httpMethod": "GET /", "body": "e30=", "isBase64Encoded": true, "multiValueHeaders": {"": null}}`,
		`{"version": "1.0", "path": "/x/v1", "httpMethod": "GET", "headers": {"a": "b"}, "requestContext": {"stage": "x", "authorizer": {"claims": {"sub": "\ud800"}}}}`,
		`{"httpMethod": "GET", "path": "/b/v1", "queryStringParameters": {"%": "&#"}, "multiValueHeaders": {"": []}, "requestContext": {"elb": {}}}`,
	} {
		f.Add([]byte(seed))
	}
	function := New(Config{Stage: "test", BasePath: "/b", Authenticate: claimsUser}, memstore.New(store.Policy{}), io.Discard)
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer, err := function.Invoke(t.Context(), payload)
		if err == nil && decode(t, answer)["statusCode"].(float64) < 200 {
			t.Errorf("answer is %s", answer)
		}
	})
}
