package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A request is what the function makes of an event.
type request struct {
	Method, Path, Escaped, Body, Host string
	Query                             url.Values
	Header                            http.Header
	User                              tokens.UserID // by the claims
	Gateway                           string
}

// Events of each source, with all members that the function reads, and without them.
func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name  string
		event string
		want  request
	}{
		{
			name: "REST",
			event: `{"path": "/v1/device-tokens", "httpMethod": "DELETE",
				"headers": {"Host": "x.example", "X-Two": "2"}, "multiValueHeaders": {"Host": ["x.example"], "X-Two": ["1", "2"]},
				"queryStringParameters": {"deviceId": "b"}, "multiValueQueryStringParameters": {"deviceId": ["ä #&=?+%/", "b"], "permanent": ["true"]},
				"requestContext": {"requestId": "g-1", "stage": "prod", "path": "/prod/v1/device-tokens",
					"authorizer": {"claims": {"sub": "alice", "exp": 1700000000, "groups": []}}},
				"body": null, "isBase64Encoded": false}`,
			want: request{
				Method: "DELETE", Path: "/v1/device-tokens", Host: "x.example", Gateway: "g-1", User: "alice",
				Query:  url.Values{"deviceId": {"ä #&=?+%/", "b"}, "permanent": {"true"}},
				Header: http.Header{"Host": {"x.example"}, "X-Two": {"1", "2"}},
			},
		},
		{
			name: "REST, nulls; values of a Lambda authorizer are no claims",
			event: `{"path": "/", "httpMethod": "GET", "headers": null, "multiValueHeaders": null, "queryStringParameters": null,
				"multiValueQueryStringParameters": null, "body": null,
				"requestContext": {"authorizer": {"sub": "alice", "principalId": "alice", "claims": "{}"}}}`,
			want: request{Method: "GET", Path: "/"},
		},
		{
			name: "REST, single values alone, base64",
			event: `{"path": "/", "httpMethod": "POST", "headers": {"Host": "x.example", "X-One": "1"}, "multiValueHeaders": null,
				"queryStringParameters": {"deviceId": "ä #&"}, "multiValueQueryStringParameters": {}, "Records": null,
				"requestContext": {"elb": null, "connectionId": null}, "body": "w6QAIQ==", "isBase64Encoded": true}`,
			want: request{
				Method: "POST", Path: "/", Host: "x.example", Body: "ä\x00!",
				Query: url.Values{"deviceId": {"ä #&"}}, Header: http.Header{"Host": {"x.example"}, "X-One": {"1"}},
			},
		},
		{
			name: "HTTP",
			event: `{"version": "2.0", "rawPath": "/v1/device-tokens",
				"rawQueryString": "deviceId=%C3%A4+%23&deviceId=b%2C", "queryStringParameters": {"deviceId": "ä #,b,"},
				"cookies": ["a=1", "b=2"], "headers": {"host": "x.example", "x-two": "1,2"},
				"requestContext": {"apiId": "x", "domainPrefix": "x", "requestId": "g-2=", "stage": "$default", "http": {"method": "POST"},
					"authorizer": {"jwt": {"claims": {"sub": "alice", "exp": 1700000000, "admin": true, "address": {}, "nonce": null}}}},
				"body": "w6QAIQ==", "isBase64Encoded": true}`,
			want: request{
				Method: "POST", Path: "/v1/device-tokens", Host: "x.example", Gateway: "g-2=", User: "alice", Body: "ä\x00!",
				Query:  url.Values{"deviceId": {"ä #", "b,"}},
				Header: http.Header{"Host": {"x.example"}, "X-Two": {"1,2"}, "Cookie": {"a=1; b=2"}},
			},
		},
		{
			name: "HTTP, values of a Lambda authorizer are no claims",
			event: `{"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"},
				"authorizer": {"lambda": {"sub": "alice", "claims": {"sub": "alice"}}}}}`,
			want: request{Method: "GET", Path: "/"},
		},
		{
			name: "HTTP of version 1",
			event: `{"version": "1.0", "path": "/prod/v1/device-tokens", "httpMethod": "POST",
				"headers": {"Content-Type": "text/plain"}, "multiValueHeaders": {"Content-Type": ["text/plain"]},
				"requestContext": {"apiId": "x", "domainPrefix": "x", "requestId": "g-3=", "stage": "prod",
					"authorizer": {"claims": {"sub": "alice", "exp": 1700000000}}}, "body": "{}"}`,
			want: request{
				Method: "POST", Path: "/v1/device-tokens", Body: "{}", Gateway: "g-3=", User: "alice",
				Header: http.Header{"Content-Type": {"text/plain"}},
			},
		},
		{
			name: "function URL",
			event: `{"version": "2.0", "rawPath": "/v1/device-tokens", "rawQueryString": "deviceId=a%2Fb", "cookies": null,
				"requestContext": {"accountId": "anonymous", "apiId": "u", "domainPrefix": "u", "http": {"method": "DELETE"}, "requestId": "g-4",
					"stage": "$default", "authorizer": {"iam": {"accountId": "1", "cognitoIdentity": null}}}}`,
			want: request{Method: "DELETE", Path: "/v1/device-tokens", Gateway: "g-4", Query: url.Values{"deviceId": {"a/b"}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Escaped = test.want.Path
			if diff := cmp.Diff(test.want, adapted(t, test.event, ""), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// adapted returns the request that the function makes of an event.
func adapted(t *testing.T, event, basePath string) request {
	t.Helper()
	e, err := parseEvent([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	inv := &invocation{basePath: basePath}
	r, err := e.request(context.WithValue(t.Context(), invocationKey{}, inv), inv)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.ContentLength != int64(len(body)) {
		t.Errorf("content length is %d, the body has %d bytes: %v", r.ContentLength, len(body), err)
	}
	user, _ := claimsUser(r) // TestClaims has its errors
	return request{
		Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), Body: string(body), Host: r.Host,
		Query: r.URL.Query(), Header: r.Header, User: user, Gateway: inv.gatewayRequestID,
	}
}

// The stage and the base path are removed from a path where the gateway puts them.
func TestPaths(t *testing.T) {
	rest := func(path, context string) string {
		return fmt.Sprintf(`{"path": %q, "httpMethod": "GET", "requestContext": {%s}}`, path, context)
	}
	version1 := func(path, context string) string { return `{"version": "1.0", ` + rest(path, context)[1:] }
	version2 := func(path, context string) string {
		return fmt.Sprintf(`{"version": "2.0", "rawPath": %q, "requestContext": {%s, "http": {"method": "GET"}}}`, path, context)
	}
	const ownDomain, customDomain = `"apiId": "x", "domainPrefix": "x", "stage": `, `"apiId": "x", "domainPrefix": "api", "stage": `
	for _, test := range []struct{ name, event, base, path, escaped string }{
		{"REST, as sent", rest("/v1%2Fdevice-tokens/%C3%A4", ""), "", "/v1/device-tokens/ä", "/v1%2Fdevice-tokens/%C3%A4"},
		{"REST, not decodable", rest("/%zz", ""), "", "/%zz", "/%25zz"},
		{"REST, like the stage", rest("/prod/v1", ownDomain+`"prod"`), "", "/prod/v1", ""},
		{"REST, base path", rest("/push/api/v1%2Fdevice-tokens", `"stage": "prod"`), "/push/api", "/v1/device-tokens", "/v1%2Fdevice-tokens"},
		{"REST, without the base path", rest("/v1/device-tokens", ""), "/push", "/v1/device-tokens", ""},
		{"REST, only the base path", rest("/push", ""), "/push", "/", ""},
		{"REST, like the base path", rest("/pushed/v1", ""), "/push", "/pushed/v1", ""},
		{"version 1, stage", version1("/prod/v1", ownDomain+`"prod"`), "", "/v1", ""},
		{"version 1, default stage", version1("/v1", ownDomain+`"$default"`), "", "/v1", ""},
		{"version 1, custom domain", version1("/push/v1", customDomain+`"push"`), "/push", "/v1", ""},
		{"HTTP, stage", version2("/prod/v1", ownDomain+`"prod"`), "", "/v1", ""},
		{"HTTP, like the stage", version2("/v1x/v1", ownDomain+`"v1"`), "", "/v1x/v1", ""},
		{"HTTP, custom domain", version2("/v1/v1", customDomain+`"v1"`), "", "/v1/v1", ""},
		{"HTTP, decoded", version2("/a?b#c%2F", `"stage": "$default"`), "", "/a?b#c%2F", "/a%3Fb%23c%252F"},
		{"HTTP, base path", version2("/push/v1", customDomain+`"prod"`), "/push", "/v1", ""},
		{"HTTP, base path and stage", version2("/prod/v1", ownDomain+`"prod"`), "/push", "/v1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := adapted(t, test.event, test.base)
			if test.escaped == "" {
				test.escaped = test.path
			}
			if got.Path != test.path || got.Escaped != test.escaped {
				t.Errorf("path is %s, escaped %s; want %s, %s", got.Path, got.Escaped, test.path, test.escaped)
			}
		})
	}
}

// Payloads that are not HTTP requests of a supported source are errors, which name a known
// other source.
func TestNoEvents(t *testing.T) {
	f := newFunction(t, Config{Authenticate: claimsUser}, memstore.MustNew(store.Policy{}), io.Discard)
	for says, payloads := range map[string][]string{
		"": {
			``, `null`, `[]`, `"ExponentPushToken[secret]"`, `{}`, `{"key1": "secret"}`,
			`{"httpMethod": "ExponentPushToken[secret]", "path": "/"}`,
			`{"httpMethod": "POST", "path": "/", "body": "ExponentPushToken[secret]", "isBase64Encoded": true}`,
			`{"version": "2.0", "rawPath": "/", "requestContext": {"http": {}}}`,
		},
		"wrong type": {
			`{"httpMethod": "POST", "path": 7, "body": "secret"}`,
			`{"version": "2.0", "rawPath": ["secret"], "requestContext": {"http": {"method":"GET"}}}`,
		},
		"VPC Lattice": {
			`{"version": "2.0", "path": "/", "method": "POST", "requestContext": {"serviceNetworkArn": "a"}}`,
			`{"raw_path": "/", "method": "POST", "headers": {}}`,
		},
		"Lambda authorizer": {
			`{"type": "REQUEST", "methodArn": "a", "httpMethod": "GET", "path": "/", "requestContext": {}}`,
			`{"version": "2.0", "type": "REQUEST", "routeArn": "a", "requestContext": {"http": {"method": "GET"}}}`,
		},
		"load balancer": {`{"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/v1/device-tokens"}`},
		"WebSocket":     {`{"requestContext": {"connectionId": "c", "routeKey": "$connect"}}`},
		"records":       {`{"Records": [{"eventSource": "aws:sqs", "body": "secret"}]}`},
		"EventBridge":   {`{"version": "0", "source": "aws.events", "detail-type": "Scheduled Event"}`},
	} {
		for _, payload := range payloads {
			answer, err := f.Invoke(t.Context(), []byte(payload))
			if !errors.Is(err, errNotAnEvent) || answer != nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %s, %v; want %q in the error", payload, answer, err, says)
			}
		}
	}
}

// A function that panics is started again, so one request would cost a cold start.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": {"authorizer": {"claims": {"sub": "alice"}}}}`,
		`{"version": "2.0", "rawPath": "/x/v1", "requestContext": {"stage": "x", "http": {"method": "GET"}, "authorizer": {"jwt": null}}}`,
		`{"path": "%", "httpMethod": "GET /", "body": "e30=", "isBase64Encoded": true, "multiValueHeaders": {"": null}}`,
		`{"version": "1.0", "path": "/x/v1", "httpMethod": "GET", "headers": {"a": "b"}, "requestContext": {"stage": "x", "authorizer": {"claims": {"sub": "\ud800"}}}}`,
		`{"httpMethod": "GET", "path": "/b/v1", "queryStringParameters": {"%": "&#"}, "multiValueHeaders": {"": []}}`,
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
