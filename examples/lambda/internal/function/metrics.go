package function

import (
	"encoding/json"
	"io"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// namespace is where CloudWatch keeps the metrics; the dashboard of
// infrastructure/ reads them there.
const namespace = "DeviceTokens"

// metrics writes CloudWatch's embedded metric format: a log line from which
// CloudWatch makes metrics, with no call and no agent. See "Specification:
// Embedded metric format" in the user guide of Amazon CloudWatch.
type metrics struct {
	stage string
	w     io.Writer
	now   func() time.Time
}

type definition struct {
	Name string
	Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

// observe writes one line with what happened in a request. What did not happen is
// not written: CloudWatch adds it up to the same.
func (m metrics) observe(e httpapi.Event) {
	line := map[string]any{"Stage": m.stage}
	var definitions []definition
	add := func(name, unit string, value any) {
		definitions = append(definitions, definition{Name: name, Unit: unit})
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
		"CloudWatchMetrics": []directive{
			{Namespace: namespace, Dimensions: [][]string{{"Stage"}}, Metrics: definitions},
		},
	}
	data, err := json.Marshal(line)
	if err != nil {
		panic(err) // texts and numbers
	}
	_, _ = m.w.Write(append(data, '\n')) // without a log there is nowhere to say so
}

// outcomeMetric names the metric that counts the event, "" if none does: a list
// changes nothing, and the gateway counts the failures.
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
