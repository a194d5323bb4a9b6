package standin

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

// HTTP returns the gateway as an HTTP API, whose events are of version 2.
func (g Gateway) HTTP() http.Handler { return http.HandlerFunc(g.serveHTTP) }

func (g Gateway) serveHTTP(w http.ResponseWriter, r *http.Request) {
	const id = "JKJaXmPLvHcESHA=" // another format than that of REST APIs
	w.Header().Set("Apigw-Requestid", id)
	in, refused := g.accept(r)
	if refused != 0 {
		if refused == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		httpMessage(w, refused)
		return
	}
	binary := len(in.body) > 0 && !isText(r.Header.Get("Content-Type"))
	header := in.forwarded()
	header.Del("Cookie") // the event has a member for cookies
	event := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": r.URL.Path, "rawQueryString": r.URL.RawQuery,
		"headers": lowered(joined(header)), "requestContext": in.httpContext(g.Stage, id), "isBase64Encoded": binary,
	}
	if cookies := r.Header["Cookie"]; len(cookies) > 0 {
		event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
	}
	if query := in.query(); query != nil {
		event["queryStringParameters"] = joined(query)
	}
	if body := content(in.body, binary); body != nil {
		event["body"] = body
	}
	var answer struct {
		StatusCode      int
		Headers         map[string]string
		Cookies         []string
		Body            string
		IsBase64Encoded bool
	}
	if err := g.call(r.Context(), event, &answer); err != nil || answer.StatusCode == 0 {
		httpMessage(w, http.StatusInternalServerError)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.Header()["Set-Cookie"] = answer.Cookies
	write(w, answer.StatusCode, answer.Body, answer.IsBase64Encoded)
}

func (in incoming) httpContext(stage, id string) map[string]any {
	if stage == "" {
		stage = "$default"
	}
	now := time.Now()
	context := map[string]any{
		"accountId": "111122223333", "apiId": apiID, "domainName": domain(apiID), "domainPrefix": apiID,
		"http": map[string]any{
			"method": in.Method, "path": in.URL.Path, "protocol": in.Proto,
			"sourceIp": "192.0.2.1", "userAgent": in.UserAgent(),
		},
		"requestId": id, "routeKey": "$default", "stage": stage,
		"time": requestTime(now), "timeEpoch": now.UnixMilli(),
	}
	if in.claims != nil {
		context["authorizer"] = map[string]any{"jwt": map[string]any{"claims": in.claims, "scopes": nil}}
	}
	return context
}

// joined returns the values of each name in one text.
func joined(all map[string][]string) map[string]string {
	single := map[string]string{}
	for name, values := range all {
		single[name] = strings.Join(values, ",")
	}
	return single
}

func lowered(all map[string]string) map[string]string {
	low := map[string]string{}
	for name, value := range all {
		low[strings.ToLower(name)] = value
	}
	return low
}

// isText reports whether an HTTP API treats a content type as text.
func isText(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasPrefix(mediaType, "text/") || mediaType == "application/json" ||
		mediaType == "application/javascript" || mediaType == "application/xml")
}

func httpMessage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"message":"` + http.StatusText(status) + `"}`)) // fails if the client has closed the connection
}
