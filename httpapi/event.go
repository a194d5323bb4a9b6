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
	// Status is the one that was written. If Outcome is Canceled, nobody may
	// have read it.
	Status int
	// Outcome says what happened.
	Outcome Outcome
	// Problem is the code member of the problem that was answered; "" if none.
	Problem string

	// Moved says that another user's active registration lost its token to the
	// one who registered.
	Moved bool
	// Evicted is how many registrations went for the device limit.
	Evicted int

	// Duration is from the request's arrival in the handler until its answer
	// was written; it includes the time that the body took to come in.
	Duration time.Duration
	// StoreDuration is how much of it the call of the store took; 0 if there
	// was none.
	StoreDuration time.Duration
}

// An Outcome says what became of a request. The zero value is not an outcome.
type Outcome string

// The outcomes of a request. The first six are its success.
const (
	Created     Outcome = "created"     // registered: store.Created
	Refreshed   Outcome = "refreshed"   // registered: store.Refreshed
	Replaced    Outcome = "replaced"    // registered: store.Replaced
	Listed      Outcome = "listed"      // listed
	Deactivated Outcome = "deactivated" // logged out, or nothing was there
	Erased      Outcome = "erased"      // erased, or nothing was there

	Rejected Outcome = "rejected"  // the request or its sender was refused: 4xx
	TryAgain Outcome = "try_again" // contention, throttling or a deadline: 503
	Canceled Outcome = "canceled"  // the request's context was canceled: its client has gone
	Failed   Outcome = "failed"    // 500
)

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
	case e.Outcome == Failed:
		return slog.LevelError
	case e.Outcome == TryAgain, e.Status == http.StatusForbidden:
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
