package standin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
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

// An incoming has the parts of a request that both kinds of API use.
type incoming struct {
	*http.Request
	body   []byte
	path   string // as sent, without the stage
	claims map[string]string
}

// accept reads a request, or returns the status of the error.
func (g Gateway) accept(r *http.Request) (incoming, int) {
	in := incoming{Request: r, path: r.URL.EscapedPath()}
	if g.Stage != "" {
		var ok bool
		if in.path, ok = strings.CutPrefix(in.path, "/"+g.Stage); !ok || !strings.HasPrefix(in.path, "/") {
			return in, http.StatusForbidden
		}
	}
	if g.Authorize != nil {
		var ok bool
		if in.claims, ok = g.Authorize(r); !ok {
			return in, http.StatusUnauthorized
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return in, http.StatusBadRequest
	}
	in.body = body
	return in, 0
}

// call invokes the function with the event and decodes its response.
func (g Gateway) call(ctx context.Context, event map[string]any, answer any) error {
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

// write sends a response of the function.
func write(w http.ResponseWriter, status int, body string, encoded bool) {
	data := []byte(body)
	if encoded {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			http.Error(w, `{"message":"Internal server error"}`, http.StatusBadGateway)
			return
		}
		data = decoded
	}
	w.WriteHeader(status)
	_, _ = w.Write(data) // fails if the client has closed the connection
}

// last returns the last value of each name, as in the single-value maps of an event.
func last(all map[string][]string) map[string]string {
	if len(all) == 0 {
		return nil
	}
	single := map[string]string{}
	for name, values := range all {
		single[name] = values[len(values)-1]
	}
	return single
}

// forwarded returns the headers that reach the function.
func (in incoming) forwarded() http.Header {
	header := in.Header.Clone()
	header.Set("Host", in.Host)
	header.Set("X-Forwarded-For", "192.0.2.1")
	header.Set("X-Forwarded-Port", "443")
	header.Set("X-Forwarded-Proto", "https")
	header.Set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793")
	return header
}

// query returns the decoded query of the request; nil if there is none.
func (in incoming) query() map[string][]string {
	query, _ := url.ParseQuery(in.URL.RawQuery) // malformed parameters are dropped
	if len(query) == 0 {
		return nil
	}
	return query
}

const apiID = "a1b2c3d4e5"

func domain(id string) string { return id + ".execute-api.eu-central-1.amazonaws.com" }

func requestTime(now time.Time) string { return now.UTC().Format("02/Jan/2006:15:04:05 -0700") }
