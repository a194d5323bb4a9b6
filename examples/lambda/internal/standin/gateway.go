// Package standin is a fake of API Gateway for tests.
//
// Sources: "Lambda proxy integrations" and "Important notes" in the developer guide of
// API Gateway.
package standin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
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
}

// These ids are in every event. The gateway's own domain begins with the API's id.
const (
	apiID     = "a1b2c3d4e5"
	requestID = "JKJaXmPLvHcESHA="
)

// REST returns the gateway as a REST API, whose events are of version 1.
func (g Gateway) REST() http.Handler {
	return g.handler(func(r *http.Request, body []byte, claims map[string]string) any {
		path := r.URL.EscapedPath()
		if g.Stage != "" {
			path = strings.TrimPrefix(path, "/"+g.Stage)
		}
		query, _ := url.ParseQuery(r.URL.RawQuery) // malformed parameters are dropped
		event := events.APIGatewayProxyRequest{
			Path: path, HTTPMethod: r.Method, Body: string(body),
			Headers: last(r.Header), MultiValueHeaders: r.Header,
			QueryStringParameters: last(query), MultiValueQueryStringParameters: query,
			RequestContext: events.APIGatewayProxyRequestContext{
				APIID: apiID, DomainPrefix: apiID, Stage: g.Stage, RequestID: requestID,
			},
		}
		if claims != nil {
			event.RequestContext.Authorizer = map[string]any{"claims": claims}
		}
		return event
	})
}

// HTTP returns the gateway as an HTTP API, whose events are of version 2.
func (g Gateway) HTTP() http.Handler {
	return g.handler(func(r *http.Request, body []byte, claims map[string]string) any {
		event := events.APIGatewayV2HTTPRequest{
			Version: "2.0", RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Headers: map[string]string{}, Body: string(body),
			RequestContext: events.APIGatewayV2HTTPRequestContext{
				APIID: apiID, DomainPrefix: apiID, Stage: g.Stage, RequestID: requestID,
				HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method},
			},
		}
		for name, values := range r.Header {
			event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		if g.Stage == "" {
			event.RequestContext.Stage = "$default"
		}
		if claims != nil {
			event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
			}
		}
		if len(body) > 0 && !isText(r.Header.Get("Content-Type")) {
			event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		return event
	})
}

// handler serves the function, to which it sends the event of each request.
func (g Gateway) handler(event func(r *http.Request, body []byte, claims map[string]string) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Stage != "" && !strings.HasPrefix(r.URL.Path, "/"+g.Stage+"/") {
			http.Error(w, "no such stage", http.StatusForbidden)
			return
		}
		var claims map[string]string
		if g.Authorize != nil {
			var ok bool
			if claims, ok = g.Authorize(r); !ok {
				refuse(w)
				return
			}
		}
		var answer struct {
			StatusCode        int
			Headers           map[string]string
			MultiValueHeaders http.Header
			Body              string
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			r.Header.Set("Host", r.Host)
			err = g.invoke(r.Context(), event(r, body, claims), &answer)
		}
		if err != nil || answer.StatusCode == 0 {
			http.Error(w, "no response of the function", http.StatusBadGateway)
			return
		}
		maps.Copy(w.Header(), answer.MultiValueHeaders)
		for name, value := range answer.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.WriteString(w, answer.Body) // fails if the client has closed the connection
	})
}

func (g Gateway) invoke(ctx context.Context, event, answer any) error {
	payload, err := json.Marshal(event)
	if err != nil {
		return err
	}
	returned, err := g.Invoke(ctx, payload)
	if err != nil {
		return err
	}
	return json.Unmarshal(returned, answer)
}

// last returns the last value of each name, as in the single-value maps of an event.
func last(all map[string][]string) map[string]string {
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

// refuse writes a REST API's own 401, in the form that infrastructure/ configures.
func refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"title":"Unauthorized","status":401,"code":"unauthenticated","requestId":"`+requestID+`"}`)
}
