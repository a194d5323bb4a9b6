package standin

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
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
		id := newID()
		w.Header().Set("X-Amzn-Requestid", id)
		in, refused := g.accept(r)
		if refused != 0 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			restProblem(w, refused, id)
			return
		}
		rc := map[string]any{
			"apiId": apiID, "domainPrefix": apiID, "httpMethod": r.Method, "path": "/" + g.Stage + in.path, "stage": g.Stage,
			"requestId": id, "resourcePath": "/{proxy+}", "identity": map[string]any{"sourceIp": "192.0.2.1", "user": nil},
		}
		if in.claims != nil {
			rc["authorizer"] = map[string]any{"claims": in.claims}
		}
		answer, err := g.call(r.Context(), map[string]any{
			"resource": "/{proxy+}", "path": in.path, "httpMethod": r.Method,
			"headers": last(in.header), "multiValueHeaders": in.header,
			"queryStringParameters": last(in.query), "multiValueQueryStringParameters": in.query,
			"pathParameters": map[string]string{"proxy": in.path[1:]}, "stageVariables": nil, "requestContext": rc,
			"body": content(in.body, g.Binary), "isBase64Encoded": g.Binary && len(in.body) > 0,
		})
		if err != nil {
			restProblem(w, http.StatusBadGateway, id)
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
		const id = "JKJaXmPLvHcESHA=" // another format than that of REST APIs
		w.Header().Set("Apigw-Requestid", id)
		in, refused := g.accept(r)
		if refused != 0 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			httpMessage(w, refused)
			return
		}
		rc := map[string]any{
			"apiId": apiID, "domainPrefix": apiID, "requestId": id, "routeKey": "$default", "stage": g.Stage,
			"http": map[string]any{"method": r.Method, "path": r.URL.Path, "protocol": r.Proto, "sourceIp": "192.0.2.1"},
		}
		if g.Stage == "" {
			rc["stage"] = "$default"
		}
		if in.claims != nil {
			rc["authorizer"] = map[string]any{"jwt": map[string]any{"claims": in.claims, "scopes": nil}}
		}
		binary := len(in.body) > 0 && !isText(r.Header.Get("Content-Type"))
		in.header.Del("Cookie") // the event has a member for cookies
		headers := map[string]string{}
		for name, value := range joined(in.header) {
			headers[strings.ToLower(name)] = value
		}
		event := map[string]any{
			"version": "2.0", "routeKey": "$default", "rawPath": r.URL.Path, "rawQueryString": r.URL.RawQuery,
			"headers": headers, "requestContext": rc, "isBase64Encoded": binary,
		}
		if cookies := r.Header["Cookie"]; len(cookies) > 0 {
			event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
		}
		if in.query != nil {
			event["queryStringParameters"] = joined(in.query)
		}
		if body := content(in.body, binary); body != nil {
			event["body"] = body
		}
		answer, err := g.call(r.Context(), event)
		if err != nil {
			httpMessage(w, http.StatusInternalServerError)
			return
		}
		for name, value := range answer.Headers {
			w.Header().Set(name, value)
		}
		w.Header()["Set-Cookie"] = answer.Cookies
		answer.write(w)
	})
}

const apiID = "a1b2c3d4e5"

// An incoming has the parts of a request that both kinds of API use.
type incoming struct {
	body   []byte
	path   string              // as sent, without the stage
	header http.Header         // as it reaches the function
	query  map[string][]string // decoded; nil if there is none
	claims map[string]string
}

// accept reads a request, or returns the status of the error.
func (g Gateway) accept(r *http.Request) (in incoming, refused int) {
	in.path = r.URL.EscapedPath()
	ok := true
	if g.Stage != "" {
		if in.path, ok = strings.CutPrefix(in.path, "/"+g.Stage); !ok || !strings.HasPrefix(in.path, "/") {
			return in, http.StatusForbidden
		}
	}
	if g.Authorize != nil {
		if in.claims, ok = g.Authorize(r); !ok {
			return in, http.StatusUnauthorized
		}
	}
	var err error
	if in.body, err = io.ReadAll(r.Body); err != nil {
		return in, http.StatusInternalServerError
	}
	in.header = r.Header.Clone()
	for name, value := range map[string]string{
		"Host": r.Host, "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
	} {
		in.header.Set(name, value)
	}
	if query, _ := url.ParseQuery(r.URL.RawQuery); len(query) > 0 { // malformed parameters are dropped
		in.query = query
	}
	return in, 0
}

// An answer has the members of the function's responses to both kinds of API.
type answer struct {
	StatusCode        int
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Cookies           []string
	Body              string
	IsBase64Encoded   bool

	body []byte // decoded
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
	err = json.Unmarshal(returned, &a)
	a.body = []byte(a.Body)
	switch {
	case err == nil && a.StatusCode == 0:
		err = fmt.Errorf("no status code")
	case err == nil && a.IsBase64Encoded:
		a.body, err = base64.StdEncoding.DecodeString(a.Body)
	}
	return a, err
}

func (a answer) write(w http.ResponseWriter) {
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(a.body) // fails if the client has closed the connection
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
	var single map[string]string
	for name, values := range all {
		if single == nil {
			single = map[string]string{}
		}
		single[name] = values[len(values)-1]
	}
	return single
}

// joined returns the values of each name in one text.
func joined(all map[string][]string) map[string]string {
	single := map[string]string{}
	for name, values := range all {
		single[name] = strings.Join(values, ",")
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

// restProblem writes a response of a REST API itself, in the form that infrastructure/
// configures.
func restProblem(w http.ResponseWriter, status int, id string) {
	code := map[int]string{http.StatusUnauthorized: "unauthenticated", http.StatusForbidden: "forbidden"}[status]
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"title":"%s","status":%d,"code":"%s","detail":"The gateway refused the request.","requestId":"%s"}`,
		http.StatusText(status), status, cmp.Or(code, "internal_error"), id)
}

func httpMessage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":"%s"}`, http.StatusText(status))
}
