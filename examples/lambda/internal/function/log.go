package function

import (
	"context"
	"io"
	"log/slog"
)

// NewLogger returns a logger that writes JSON lines. Each line has the ids of the
// context's invocation, and whether it is the first one of its environment.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(logHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if inv := invocationOf(ctx); inv != nil {
		record.AddAttrs(
			slog.String("function_request_id", inv.functionRequestID),
			slog.String("gateway_request_id", inv.gatewayRequestID),
			slog.Bool("cold_start", inv.coldStart),
		)
	}
	return h.Handler.Handle(ctx, record)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name)}
}
