package standin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Gateway is a fake API Gateway in front of a function, with one catch-all route.
type Gateway struct {
	// Invoke calls the function.
	Invoke func(context.Context, []byte) ([]byte, error)
	// Stage is the first segment of each path. "" is the default stage of an HTTP
	// API, which is not in the path.
	Stage string
	// Authorize is the authorizer: it returns the claims of a request's
	// credential, or false. nil lets all requests through without claims.
	Authorize func(*http.Request) (map[string]string, bool)
	// Binary makes a REST API send all bodies to the function in base64, like the
	// binary media type */*. An HTTP API decides by the content type.
	Binary bool
}

// REST returns the gateway as a REST API, whose events are of version 1.
func (g Gateway) REST() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, ok := g.accept(w, r)
		if !ok {
			return
		}
		rc := in.context
		if in.claims != nil {
			rc["authorizer"] = map[string]any{"claims": in.claims}
		}
		rc["httpMethod"], rc["path"] = r.Method, "/"+g.Stage+in.path
		var query map[string][]string                               // decoded; null if there is none
		if all, _ := url.ParseQuery(r.URL.RawQuery); len(all) > 0 { // malformed parameters are dropped
			query = all
		}
		answer, err := g.call(r.Context(), map[string]any{
			"resource": "/{proxy+}", "path": in.path, "httpMethod": r.Method, "requestContext": rc,
			"headers": last(in.header), "multiValueHeaders": in.header,
			"queryStringParameters": last(query), "multiValueQueryStringParameters": query,
			"body": content(in.body, g.Binary), "isBase64Encoded": g.Binary && len(in.body) > 0,
		})
		if err != nil {
			http.Error(w, "internal server error", http.StatusBadGateway)
			return
		}
		for name, value := range answer.Headers {
			w.Header().Set(remapped(name), value)
		}
		for name, values := range answer.MultiValueHeaders {
			w.Header()[http.CanonicalHeaderKey(remapped(name))] = values
		}
		answer.write(w)
	})
}

// HTTP returns the gateway as an HTTP API, whose events are of version 2.
func (g Gateway) HTTP() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, ok := g.accept(w, r)
		if !ok {
			return
		}
		rc := in.context
		rc["http"] = map[string]any{"method": r.Method, "path": r.URL.Path, "protocol": r.Proto}
		if g.Stage == "" {
			rc["stage"] = "$default"
		}
		if in.claims != nil {
			rc["authorizer"] = map[string]any{"jwt": map[string]any{"claims": in.claims, "scopes": nil}}
		}
		binary := len(in.body) > 0 && !isText(r.Header.Get("Content-Type"))
		headers := map[string]string{}
		for name, values := range in.header {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		event := map[string]any{
			"version": "2.0", "routeKey": "$default", "rawPath": r.URL.Path, "rawQueryString": r.URL.RawQuery,
			"headers": headers, "requestContext": rc, "isBase64Encoded": binary,
		}
		if body := content(in.body, binary); body != nil {
			event["body"] = body
		}
		answer, err := g.call(r.Context(), event)
		if err != nil {
			http.Error(w, "internal server error", http.StatusInternalServerError)
			return
		}
		for name, value := range answer.Headers {
			w.Header().Set(name, value)
		}
		answer.write(w)
	})
}

// An incoming has the parts of a request that both kinds of API use.
type incoming struct {
	body    []byte
	path    string      // as sent, without the stage
	header  http.Header // as it reaches the function
	claims  map[string]string
	context map[string]any // the common members of requestContext
}

// accept reads a request. If the gateway refuses it, accept responds and returns false.
func (g Gateway) accept(w http.ResponseWriter, r *http.Request) (in incoming, ok bool) {
	in.path = r.URL.EscapedPath()
	if g.Stage != "" {
		if in.path, ok = strings.CutPrefix(in.path, "/"+g.Stage); !ok || !strings.HasPrefix(in.path, "/") {
			http.Error(w, "forbidden", http.StatusForbidden)
			return in, false
		}
	}
	if g.Authorize != nil {
		if in.claims, ok = g.Authorize(r); !ok {
			unauthorized(w)
			return in, false
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return in, false
	}
	in.body, in.header = body, r.Header.Clone()
	in.header.Set("Host", r.Host)
	in.context = map[string]any{"apiId": "a1b2c3d4e5", "domainPrefix": "a1b2c3d4e5", "requestId": "JKJaXmPLvHcESHA=", "stage": g.Stage}
	return in, true
}

// unauthorized responds in the form that infrastructure/ configures for a REST API.
func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"title":"Unauthorized","status":401,"code":"unauthenticated","requestId":"JKJaXmPLvHcESHA="}`)
}

// An answer has the members of the function's responses to both kinds of API.
type answer struct {
	StatusCode        int
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Body              string
}

// call invokes the function with the event and decodes its response.
func (g Gateway) call(ctx context.Context, event map[string]any) (a answer, err error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return a, err
	}
	returned, err := g.Invoke(ctx, payload)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(returned, &a); err != nil || a.StatusCode == 0 {
		return a, errors.Join(errors.New("no response with a status code"), err)
	}
	return a, nil
}

func (a answer) write(w http.ResponseWriter) {
	w.WriteHeader(a.StatusCode)
	_, _ = io.WriteString(w, a.Body) // fails if the client has closed the connection
}

// content returns a body in the form of an event; nil means no body.
func content(body []byte, binary bool) any {
	switch {
	case len(body) == 0:
		return nil
	case binary:
		return base64.StdEncoding.EncodeToString(body)
	}
	return string(body)
}

// last returns the last value of each name, as in the single-value maps of an event.
func last(all map[string][]string) map[string]string {
	if all == nil {
		return nil
	}
	single := map[string]string{}
	for name, values := range all {
		single[name] = values[len(values)-1]
	}
	return single
}

// isText reports whether an HTTP API treats a content type as text.
func isText(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasPrefix(mediaType, "text/") || mediaType == "application/json" ||
		mediaType == "application/javascript" || mediaType == "application/xml")
}

// remapped returns the name under which a REST API returns a function's header.
func remapped(name string) string {
	if slices.Contains([]string{"Www-Authenticate", "Server", "Date", "Connection"}, http.CanonicalHeaderKey(name)) {
		return "X-Amzn-Remapped-" + name
	}
	return name
}
