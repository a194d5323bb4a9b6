package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/devicetokens/devicetokens/store"
)

// An Event describes one request, for metrics and traces. It contains no user,
// device or token. All its texts except RequestID come from small fixed sets, so
// they can be labels of a metric.
type Event struct {
	// RequestID is also in the X-Request-Id of the response and in the log.
	RequestID string
	// Route is the matched path with BasePath; "" if the path is unknown.
	Route string
	// Method is the request's method if it is PATCH or one of RFC 9110, and
	// otherwise "_OTHER", like OpenTelemetry's http.request.method.
	Method string
	// Status is the response's status. If Outcome is Canceled, the client may
	// not have received it.
	Status int
	// Operation is the method of the store that the request needs; "" if the
	// request was rejected before it was known.
	Operation store.Operation
	// Outcome is [store.Created], [store.Refreshed] or [store.Replaced] for a
	// registration, and [store.OK] for any other successful request. It is
	// [store.Invalid] for every 4xx, [store.TryAgain] for a 503, and
	// [store.Misconfigured] or [store.Failed] for a 500. [store.Canceled] means
	// that the request's context was canceled, usually because the client closed
	// the connection.
	Outcome store.Outcome
	// Problem is the code of the problem in the response; "" if there is none.
	Problem string

	// Moved and Evicted are as in [store.Event].
	Moved   bool
	Evicted int

	// Duration is the time in the handler until the response is written,
	// including the time to receive the body.
	Duration time.Duration
	// StoreDuration is the time of the call of the store; 0 if there was none.
	StoreDuration time.Duration
}

// knownMethod limits the values that a client can put into metrics and logs.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

const maxRequestIDLen = 64

// requestID returns the request's X-Request-Id if it is sane, and otherwise a new
// random id.
func requestID(header http.Header) string {
	if ids := header["X-Request-Id"]; len(ids) == 1 && saneRequestID(ids[0]) {
		return ids[0]
	}
	return rand.Text()
}

// saneRequestID reports whether an id is 1–64 ASCII letters, digits and "-._". Such
// an id is safe in logs, headers, shells and URLs, and is not a token with brackets.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestIDLen {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// log writes one line for a request. Of the request's path, query, headers and body
// it has only a sane request id.
func (h *handler) log(ctx context.Context, e *Event, err error) {
	attrs := []slog.Attr{
		slog.String("request_id", e.RequestID),
		slog.String("method", e.Method),
		slog.String("route", e.Route),
		slog.Int("status", e.Status),
		slog.String("operation", string(e.Operation)),
		slog.String("outcome", string(e.Outcome)),
		slog.Duration("duration", e.Duration),
		slog.Duration("store_duration", e.StoreDuration),
	}
	if e.Moved {
		attrs = append(attrs, slog.Bool("moved", true))
	}
	if e.Evicted > 0 {
		attrs = append(attrs, slog.Int("evicted", e.Evicted))
	}
	if e.Problem != "" {
		attrs = append(attrs, slog.String("problem", e.Problem))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	h.options.Logger.LogAttrs(ctx, e.level(), "request", attrs...)
}

// level returns Error if an operator has to act, and Warn if an operator has to act only
// when the event repeats.
func (e *Event) level() slog.Level {
	switch {
	case e.Outcome == store.Failed, e.Outcome == store.Misconfigured:
		return slog.LevelError
	case e.Outcome == store.TryAgain, e.Status == http.StatusForbidden:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

type panicError struct {
	value any
	stack []byte
}

// Error contains the text of a panic of the Go runtime. Any other value may contain
// data of the request, so Error contains only its type.
func (p *panicError) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return "httpapi: panic: " + err.Error()
	}
	return fmt.Sprintf("httpapi: panic with a %T", p.value)
}
