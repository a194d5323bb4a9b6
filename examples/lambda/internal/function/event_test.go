package function

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

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
	f := newFunction(t, Config{Authenticate: claimsUser}, memstore.MustNew(store.Policy{}), io.Discard)
	const secret = "ExponentPushToken[secret]"
	for payload, says := range map[string]string{
		``: "", `null`: "", `[]`: "", `"` + secret + `"`: "", `{}`: "", `{"key1": "` + secret + `"}`: "",
		`{"httpMethod": "POST", "path": 7, "body": "` + secret + `"}`:                                           "wrong type",
		`{"httpMethod": "` + secret + `", "path": "/"}`:                                                         "",
		`{"httpMethod": "POST", "path": "/", "body": "` + secret + `", "isBase64Encoded": true}`:                "",
		`{"version": "2.0", "rawPath": ["` + secret + `"], "requestContext": {"http": {"method":"GET"}}}`:       "wrong type",
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
	function := newFunction(f, Config{Stage: "test", BasePath: "/b", Authenticate: claimsUser}, memstore.MustNew(store.Policy{}), io.Discard)
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer, err := function.Invoke(t.Context(), payload)
		if err == nil && decode(t, answer)["statusCode"].(float64) < 200 {
			t.Errorf("answer is %s", answer)
		}
	})
}
