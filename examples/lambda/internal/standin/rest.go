package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// REST returns the gateway as a REST API, whose events are of version 1.
func (g Gateway) REST() http.Handler { return http.HandlerFunc(g.serveREST) }

func (g Gateway) serveREST(w http.ResponseWriter, r *http.Request) {
	id := newID()
	w.Header().Set("X-Amzn-Requestid", id)
	in, refused := g.accept(r)
	if refused != 0 {
		gatewayProblem(w, refused, id)
		return
	}
	header := in.forwarded()
	event := map[string]any{
		"resource": "/{proxy+}", "path": in.path, "httpMethod": in.Method,
		"headers": last(header), "multiValueHeaders": header,
		"queryStringParameters": last(in.query()), "multiValueQueryStringParameters": in.query(),
		"pathParameters": map[string]string{"proxy": in.path[1:]}, "stageVariables": nil,
		"requestContext": in.restContext(g.Stage, id),
		"body":           content(in.body, g.Binary), "isBase64Encoded": g.Binary && len(in.body) > 0,
	}
	var answer struct {
		StatusCode        int
		Headers           map[string]string
		MultiValueHeaders map[string][]string
		Body              string
		IsBase64Encoded   bool
	}
	if err := g.call(r.Context(), event, &answer); err != nil || answer.StatusCode == 0 {
		gatewayProblem(w, http.StatusBadGateway, id)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(remapped(name), value)
	}
	for name, values := range answer.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(remapped(name))] = values
	}
	write(w, answer.StatusCode, answer.Body, answer.IsBase64Encoded)
}

func (in incoming) restContext(stage, id string) map[string]any {
	now := time.Now()
	context := map[string]any{
		"accountId": "111122223333", "apiId": apiID, "domainName": domain(apiID), "domainPrefix": apiID,
		"httpMethod": in.Method, "path": "/" + stage + in.path, "protocol": in.Proto, "stage": stage,
		"requestId": id, "extendedRequestId": "JKJaXmPLvHcESHA=",
		"requestTime": requestTime(now), "requestTimeEpoch": now.UnixMilli(),
		"resourceId": "r1", "resourcePath": "/{proxy+}",
		"identity": map[string]any{"sourceIp": "192.0.2.1", "userAgent": in.UserAgent(), "user": nil},
	}
	if in.claims != nil {
		context["authorizer"] = map[string]any{"claims": in.claims}
	}
	return context
}

// remapped returns the name under which a REST API returns a function's header.
func remapped(name string) string {
	if slices.Contains([]string{"Www-Authenticate", "Server", "Date", "Connection"}, http.CanonicalHeaderKey(name)) {
		return "X-Amzn-Remapped-" + name
	}
	return name
}

// gatewayProblem writes a response of the gateway itself, with the text that
// infrastructure/ configures.
func gatewayProblem(w http.ResponseWriter, status int, id string) {
	p := map[int]struct{ Title, Code, Detail string }{
		http.StatusBadRequest:   {"Bad Request", "bad_request", "The request is malformed."},
		http.StatusUnauthorized: {"Unauthorized", "unauthenticated", "The request has no valid credential."},
		http.StatusForbidden:    {"Forbidden", "forbidden", "The request is not allowed."},
		http.StatusBadGateway:   {"Internal Server Error", "internal_error", "The request failed. It is not known whether it had an effect."},
	}[status]
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	text, _ := json.Marshal(p.Title) // texts always encode
	_, _ = fmt.Fprintf(w, `{"title":%s,"status":%d,"code":"%s","detail":"%s","requestId":"%s"}`, text, status, p.Code, p.Detail, id)
}
