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

// A Gateway is API Gateway in front of a function, with one route that takes all.
type Gateway struct {
	// Invoke calls the function.
	Invoke func(context.Context, []byte) ([]byte, error)
	// Stage is the first part of each path; "" is the default stage of an HTTP
	// API, which has none.
	Stage string
	// Authorize is the authorizer: it returns the claims of a request's
	// credential, or false. nil lets everybody through, without claims.
	Authorize func(*http.Request) (map[string]string, bool)
	// Binary has bodies sent to the function in base64: of a REST API all of
	// them, as with the binary media type */*. An HTTP API decides itself.
	Binary bool
}

// An incoming is what both kinds of API read of a request.
type incoming struct {
	*http.Request
	body   []byte
	path   string // without the stage, as it was sent
	claims map[string]string
}

// accept reads a request, or says why not.
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

// call invokes the function with the event and decodes its answer.
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

// content returns a body as an event holds it; nil is none.
func content(body []byte, binary bool) any {
	switch {
	case len(body) == 0:
		return nil
	case binary:
		return base64.StdEncoding.EncodeToString(body)
	}
	return string(body)
}

// write sends an answer of the function.
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
	_, _ = w.Write(data) // a client that is gone reads no answer
}

// last is what an event has in its maps of one value: the last of several.
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

// query is the request's, decoded; nil if there is none.
func (in incoming) query() map[string][]string {
	query, _ := url.ParseQuery(in.URL.RawQuery) // what is not well-formed does not arrive
	if len(query) == 0 {
		return nil
	}
	return query
}

const apiID = "a1b2c3d4e5"

func domain(id string) string { return id + ".execute-api.eu-central-1.amazonaws.com" }

func requestTime(now time.Time) string { return now.UTC().Format("02/Jan/2006:15:04:05 -0700") }
