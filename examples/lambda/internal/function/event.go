package function

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// An event is a request as API Gateway hands it to a function, and the way to hand
// the answer back.
type event interface {
	request(context.Context, *invocation) (*http.Request, error)
	answer(*answer) ([]byte, error)
}

// errNotAnEvent says that somebody invoked the function with something else.
var errNotAnEvent = errors.New("not an event of an API Gateway proxy integration")

func parseEvent(payload []byte) (event, error) {
	var probe struct {
		Version    string `json:"version"`
		HTTPMethod string `json:"httpMethod"`
	}
	if err := json.Unmarshal(payload, &probe); err != nil {
		return nil, errNotAnEvent // err may quote the payload
	}
	var e event
	switch {
	case probe.Version == "2.0":
		e = new(httpEvent)
	case probe.HTTPMethod != "":
		e = new(restEvent)
	default:
		return nil, errNotAnEvent
	}
	if err := json.Unmarshal(payload, e); err != nil {
		return nil, errNotAnEvent
	}
	return e, nil
}

// A restEvent is of a REST API, version 1 of the format. The path is as the client
// sent it, without the stage; the query is decoded.
type restEvent events.APIGatewayProxyRequest

func (e *restEvent) request(ctx context.Context, inv *invocation) (*http.Request, error) {
	inv.gatewayRequestID = e.RequestContext.RequestID
	inv.claims = restClaims(e.RequestContext.Authorizer)
	u := &url.URL{Path: e.Path, RawQuery: url.Values(e.MultiValueQueryStringParameters).Encode()}
	if path, err := url.PathUnescape(e.Path); err == nil {
		u.Path, u.RawPath = path, e.Path
	}
	header := http.Header{}
	for name, values := range e.MultiValueHeaders {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return newRequest(ctx, inv, e.HTTPMethod, u, header, e.Body, e.IsBase64Encoded)
}

// An httpEvent is of an HTTP API, version 2 of the format. The path is decoded; the
// query is as the client sent it; a header that was there twice is joined.
type httpEvent events.APIGatewayV2HTTPRequest

func (e *httpEvent) request(ctx context.Context, inv *invocation) (*http.Request, error) {
	rc := e.RequestContext
	inv.gatewayRequestID = rc.RequestID
	if rc.Authorizer != nil && rc.Authorizer.JWT != nil {
		inv.claims = rc.Authorizer.JWT.Claims
	}
	header := http.Header{}
	for name, value := range e.Headers {
		header[http.CanonicalHeaderKey(name)] = []string{value}
	}
	if len(e.Cookies) > 0 {
		header["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	u := &url.URL{Path: e.path(), RawQuery: e.RawQueryString}
	return newRequest(ctx, inv, rc.HTTP.Method, u, header, e.Body, e.IsBase64Encoded)
}

// path returns the path without the stage, with which it begins unless the stage
// is the default one. Below a domain of one's own no stage is in it, so that
// /prod/x there is a path of the API.
func (e *httpEvent) path() string {
	rc := e.RequestContext
	prefix := "/" + rc.Stage
	if rc.Stage == "" || rc.Stage == "$default" || rc.DomainPrefix != rc.APIID {
		return e.RawPath
	}
	if rest, ok := strings.CutPrefix(e.RawPath, prefix); ok && (rest == "" || rest[0] == '/') {
		return rest
	}
	return e.RawPath
}

func newRequest(ctx context.Context, inv *invocation, method string, u *url.URL, header http.Header, body string, encoded bool) (*http.Request, error) {
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
	r.URL = u
	r.RequestURI = u.RequestURI()
	r.Header = header
	r.Host = header.Get("Host")
	// An id that a client chose may be anything; ours is also in Lambda's own log.
	if header["X-Request-Id"] == nil && inv.functionRequestID != "" {
		header["X-Request-Id"] = []string{inv.functionRequestID}
	}
	return r, nil
}
