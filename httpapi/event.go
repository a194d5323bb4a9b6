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

// An Event is what became of one request, for metrics and traces. It names
// neither a user nor a device nor a token, and all its texts but the request id
// come from small fixed sets, so that they can be labels of a metric.
type Event struct {
	// RequestID is also in the answer's X-Request-Id and in the log.
	RequestID string
	// Route is the path that was matched, BasePath included; "" if none was.
	Route string
	// Method is the request's if it is one of RFC 9110 or PATCH, else
	// "_OTHER", as OpenTelemetry's http.request.method has it.
	Method string
	// Status is the one that was written. If Outcome is Canceled, the
	// client may not have read it.
	Status int
	// Operation is the method of the store that the request asked for; "" if
	// the request was refused before.
	Operation store.Operation
	// Outcome is [store.Created], [store.Refreshed] or [store.Replaced] of a
	// registration and [store.OK] of any other request that was carried out.
	// It is [store.Invalid] of every 4xx, [store.TryAgain] of a 503, and
	// [store.Misconfigured] or [store.Failed] of a 500. [store.Canceled] means
	// that the client has gone.
	Outcome store.Outcome
	// Problem is the code member of the problem that was answered; "" if none.
	Problem string

	// Moved and Evicted are as in [store.Event].
	Moved   bool
	Evicted int

	// Duration is from the request's arrival in the handler until its answer
	// was written; it includes the time that the body took to come in.
	Duration time.Duration
	// StoreDuration is how much of it the call of the store took; 0 if there
	// was none.
	StoreDuration time.Duration
}

// knownMethod bounds what a client can put into metrics and logs.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

const maxRequestIDLen = 64

// requestID returns the request's id: the X-Request-Id that came with it, if
// there is one and it is sane, else a new random one.
func requestID(header http.Header) string {
	if ids := header["X-Request-Id"]; len(ids) == 1 && saneRequestID(ids[0]) {
		return ids[0]
	}
	return rand.Text()
}

// saneRequestID keeps ids harmless in logs, headers, shells and URLs: 1–64 of
// the ASCII letters, digits and "-._". No token in brackets passes.
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

// log writes the one line of a request. It has no path, query, header or body of
// the request in it but a sane request id.
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

// level is Error for what somebody has to look into, Warn for what somebody has
// to if it lasts.
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

// Error has the panic's text only if it is the runtime's own. Any other value
// may hold what the request held, so it is named by its type.
func (p *panicError) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return "httpapi: panic: " + err.Error()
	}
	return fmt.Sprintf("httpapi: panic with a %T", p.value)
}
