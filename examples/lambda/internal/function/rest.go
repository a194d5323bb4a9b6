package function

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A proxyEvent has the members that format version 1 and the event of a load balancer
// share. The path is as the client sent it. For each header and parameter the event
// has a single value, all values, or both.
type proxyEvent struct {
	HTTPMethod        string              `json:"httpMethod"`
	Path              string              `json:"path"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

func (e *proxyEvent) make(ctx context.Context, inv *invocation, path, query string) (*http.Request, error) {
	u := &url.URL{Path: path, RawQuery: query}
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	header := http.Header{}
	for name, values := range all(e.Headers, e.MultiValueHeaders) {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return newRequest(ctx, inv, e.HTTPMethod, u, header, e.Body, e.IsBase64Encoded)
}

// all returns all values of each name, or the single values if the event has only
// those.
func all(single map[string]string, multi map[string][]string) map[string][]string {
	if len(multi) > 0 {
		return multi
	}
	multi = map[string][]string{}
	for name, value := range single {
		multi[name] = []string{value}
	}
	return multi
}

// A restEvent is the event of a REST API, or of an HTTP API with format version 1. Its
// query is decoded. The path of a REST API has no stage.
type restEvent struct {
	proxyEvent
	Version        string  `json:"version"` // a REST API has none
	RequestContext gateway `json:"requestContext"`
}

func (e *restEvent) request(ctx context.Context, inv *invocation) (*http.Request, error) {
	inv.gatewayRequestID = e.RequestContext.RequestID
	// A Lambda authorizer may add values beside the claims. In a REST API they cannot
	// be objects.
	inv.claims = object(e.RequestContext.Authorizer)["claims"]
	path := e.Path
	if e.Version == "1.0" {
		path = e.RequestContext.withoutStage(path)
	}
	return e.make(ctx, inv, path, url.Values(all(e.Query, e.MultiValueQuery)).Encode())
}

// A balancerEvent is the event of an Application Load Balancer, which does not verify
// bearer tokens. The query is as the client sent it.
type balancerEvent struct{ proxyEvent }

func (e *balancerEvent) request(ctx context.Context, inv *invocation) (*http.Request, error) {
	parameters := all(e.Query, e.MultiValueQuery)
	var query []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		for _, value := range parameters[name] {
			query = append(query, name+"="+value)
		}
	}
	return e.make(ctx, inv, e.Path, strings.Join(query, "&"))
}

// answer encodes the headers in the form of the event, single or multiple values,
// because the target group expects the same.
func (e *balancerEvent) answer(a *answer) ([]byte, error) {
	a.header.Del("Content-Length")
	answer := map[string]any{
		"statusCode": a.status, "statusDescription": cmp.Or(http.StatusText(a.status), "Unknown"),
		"body": a.body.String(), "isBase64Encoded": false,
	}
	if e.MultiValueHeaders != nil {
		answer["multiValueHeaders"] = a.header
	} else {
		answer["headers"] = joined(a.header)
	}
	return json.Marshal(answer)
}
