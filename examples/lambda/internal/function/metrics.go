package function

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// namespace is the CloudWatch namespace of the metrics. The dashboard in
// infrastructure/ reads it.
const namespace = "DeviceTokens"

// metrics writes CloudWatch's embedded metric format: log lines from which CloudWatch
// extracts metrics, without an API call or an agent. Source: "Specification: Embedded
// metric format" in the user guide of Amazon CloudWatch.
type metrics struct {
	stage string
	w     io.Writer
	now   func() time.Time
}

// observe writes one line with the metrics of a request. It omits metrics that are
// zero, which does not change their sums.
func (m metrics) observe(e httpapi.Event) {
	line := map[string]any{"Stage": m.stage}
	var definitions []any
	add := func(name, unit string, value any) {
		definitions = append(definitions, map[string]string{"Name": name, "Unit": unit})
		line[name] = value
	}
	if name := outcomeMetric(e); name != "" {
		add(name, "Count", 1)
	}
	if e.Moved {
		add("Moved", "Count", 1)
	}
	if e.StoreDuration > 0 {
		add("StoreLatency", "Milliseconds", float64(e.StoreDuration.Microseconds())/1e3)
	}
	if definitions == nil {
		return
	}
	line["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []any{
			map[string]any{"Namespace": namespace, "Dimensions": [][]string{{"Stage"}}, "Metrics": definitions},
		},
	}
	data, _ := json.Marshal(line)        // texts and numbers always encode
	_, _ = m.w.Write(append(data, '\n')) // a failure to log cannot be logged
}

// outcomeMetric returns the name of the metric that counts the event, or "". A list
// has no metric because it changes nothing. The gateway counts failures.
func outcomeMetric(e httpapi.Event) string {
	switch e.Outcome {
	case store.Created:
		return "Created"
	case store.Refreshed, store.Replaced:
		return "Refreshed"
	case store.OK:
		switch e.Operation {
		case store.OpDeactivate:
			return "Deactivated"
		case store.OpDelete:
			return "Erased"
		}
	case store.Invalid:
		return "Rejected"
	case store.TryAgain:
		return "TryAgain"
	}
	return ""
}

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
