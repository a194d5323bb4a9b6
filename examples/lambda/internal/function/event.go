package function

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// An event is an HTTP request in the form in which AWS sends it to a function. It
// also encodes the response. Only the required members of an event are decoded.
type event interface {
	request(context.Context, *invocation) (*http.Request, error)
	answer(*answer) ([]byte, error)
}

var errNotAnEvent = errors.New("not an event of an API Gateway proxy integration or of a function URL")

// parseEvent returns the event, or an error that names the kind of a known other
// event. The error does not contain the payload.
func parseEvent(payload []byte) (event, error) {
	var top, rc map[string]json.RawMessage
	if json.Unmarshal(payload, &top) != nil {
		return nil, errNotAnEvent
	}
	_ = json.Unmarshal(top["requestContext"], &rc) // without one, rc is empty
	for _, other := range []struct {
		there bool
		name  string
	}{
		{isSet(top["methodArn"]) || isSet(top["routeArn"]), "a Lambda authorizer's"},
		{isSet(rc["connectionId"]), "a WebSocket API's"},
		{isSet(rc["elb"]), "of a load balancer"},
		{isSet(rc["serviceNetworkArn"]) || isSet(top["raw_path"]), "of VPC Lattice"},
		{isSet(top["Records"]), "a list of records, as of a queue, a topic, a bucket or CloudFront"},
		{isSet(top["detail-type"]), "of EventBridge"},
	} {
		if other.there {
			return nil, fmt.Errorf("%w: it is %s", errNotAnEvent, other.name)
		}
	}
	var e event
	switch {
	case text(top["version"]) == "2.0" && isSet(rc["http"]):
		e = new(httpEvent)
	case text(top["httpMethod"]) != "":
		e = new(restEvent)
	default:
		return nil, errNotAnEvent
	}
	if err := json.Unmarshal(payload, e); err != nil {
		return nil, fmt.Errorf("%w: a required member has the wrong type", errNotAnEvent)
	}
	return e, nil
}

// isSet reports whether a member is present and not null.
func isSet(member json.RawMessage) bool { return member != nil && string(member) != "null" }

// text returns the string in a member, and "" if it is not a string.
func text(member json.RawMessage) string {
	var s string
	if json.Unmarshal(member, &s) != nil {
		return ""
	}
	return s
}

// A gateway has the members of requestContext that REST and HTTP APIs share.
type gateway struct {
	RequestID    string          `json:"requestId"`
	APIID        string          `json:"apiId"`
	DomainPrefix string          `json:"domainPrefix"`
	Stage        string          `json:"stage"`
	Authorizer   json.RawMessage `json:"authorizer"`
}

// withoutStage removes the stage from a path of an HTTP API. The default stage is not
// in the path. Behind a custom domain no stage is in the path, so /prod/x is a path of
// the API there.
func (g gateway) withoutStage(path string) string {
	if g.Stage == "" || g.Stage == "$default" || g.DomainPrefix != g.APIID {
		return path
	}
	return cutSegments(path, "/"+g.Stage)
}

// cutSegments removes the first segments of a path, if it has them.
func cutSegments(path, segments string) string {
	switch rest, ok := strings.CutPrefix(path, segments); {
	case ok && rest == "":
		return "/"
	case ok && rest[0] == '/':
		return rest
	}
	return path
}

// An httpEvent is the event of an HTTP API with format version 2, or of a function
// URL. Its path is decoded, its query is as the client sent it, and repeated headers
// are joined.
type httpEvent struct {
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	RequestContext  struct {
		gateway
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
}

func (e *httpEvent) request(ctx context.Context, inv *invocation) (*http.Request, error) {
	rc := e.RequestContext
	inv.gatewayRequestID = rc.RequestID
	inv.claims = object(object(rc.Authorizer)["jwt"])["claims"]
	header := http.Header{}
	for name, value := range e.Headers {
		header[http.CanonicalHeaderKey(name)] = []string{value}
	}
	if len(e.Cookies) > 0 {
		header["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	u := &url.URL{Path: rc.withoutStage(e.RawPath), RawQuery: e.RawQueryString}
	return newRequest(ctx, inv, rc.HTTP.Method, u, header, e.Body, e.IsBase64Encoded)
}

// A restEvent is the event of a REST API, or of an HTTP API with format version 1. Its
// path is as the client sent it, its query is decoded. For each header and parameter it
// has a single value, all values, or both.
type restEvent struct {
	Version           string              `json:"version"` // a REST API has none
	HTTPMethod        string              `json:"httpMethod"`
	Path              string              `json:"path"` // without a stage in a REST API
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
	RequestContext    gateway             `json:"requestContext"`
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
	u := &url.URL{Path: path, RawQuery: url.Values(all(e.Query, e.MultiValueQuery)).Encode()}
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

// object returns the members of an object, and nil if member is not an object.
func object(member json.RawMessage) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(member, &members) != nil {
		return nil
	}
	return members
}

func newRequest(ctx context.Context, inv *invocation, method string, u *url.URL, header http.Header, body string, encoded bool) (*http.Request, error) {
	if method == "" { // net/http would treat it as GET
		return nil, errNotAnEvent
	}
	if encoded {
		data, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil, errNotAnEvent
		}
		body = string(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, "/", strings.NewReader(body))
	if err != nil {
		return nil, errNotAnEvent
	}
	if escaped := cutSegments(u.EscapedPath(), inv.basePath); inv.basePath != "" {
		u.Path, u.RawPath = cutSegments(u.Path, inv.basePath), escaped
	}
	r.URL = u
	r.Header = header
	r.Host = header.Get("Host")
	// The client's id may be any text. The function's id is also in Lambda's own log.
	if header["X-Request-Id"] == nil && inv.functionRequestID != "" {
		header["X-Request-Id"] = []string{inv.functionRequestID}
	}
	return r, nil
}

// An answer is an http.ResponseWriter that records the response.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// What package httpapi answers is UTF-8, so the body needs no base64.

func (*restEvent) answer(a *answer) ([]byte, error) {
	return json.Marshal(events.APIGatewayProxyResponse{StatusCode: a.status, MultiValueHeaders: a.header, Body: a.body.String()})
}

func (*httpEvent) answer(a *answer) ([]byte, error) {
	headers := make(map[string]string, len(a.header))
	for name, values := range a.header {
		headers[name] = strings.Join(values, ", ") // RFC 9110, section 5.3
	}
	return json.Marshal(events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: headers, Body: a.body.String()})
}
