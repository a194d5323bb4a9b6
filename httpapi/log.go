package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
)

// log writes the one line of a request. It has no path, query, header or body of
// the request in it but a sane request id.
func (h *handler) log(ctx context.Context, e *Event, err error) {
	level := e.level()
	if !h.options.Logger.Enabled(ctx, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("request_id", e.RequestID),
		slog.String("method", e.Method),
		slog.String("route", e.Route),
		slog.Int("status", e.Status),
		slog.String("outcome", string(e.Outcome)),
		slog.Duration("duration", e.Duration),
		slog.Duration("store_duration", e.StoreDuration),
	)
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
	h.options.Logger.LogAttrs(ctx, level, "request", attrs...)
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

// contain runs the endpoint and makes an error of its panic. A handler that is
// being aborted stays so.
func contain(run endpoint, c *call) (a answer, err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v)
		default:
			a, err = answer{}, &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return run(c)
}

type panicError struct {
	value any
	stack []byte
}

// Error has the panic's text only if it is the runtime's own. Any other value
// may hold what the request held, so it is named by its type.
func (p *panicError) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic with a %T", p.value)
}
