package function

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// One line has the metrics of a request and their directive for CloudWatch.
func TestMetrics(t *testing.T) {
	now := time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		event httpapi.Event
		want  string // the counted metrics and then the latency in ms; "" if nothing is written
	}{
		{"created", httpapi.Event{Outcome: store.Created, StoreDuration: 12345 * time.Microsecond}, "Created 12.345"},
		{"moved", httpapi.Event{Outcome: store.Created, Moved: true, StoreDuration: time.Millisecond}, "Created Moved 1"},
		{"refreshed", httpapi.Event{Outcome: store.Refreshed, StoreDuration: time.Millisecond}, "Refreshed 1"},
		{"replaced", httpapi.Event{Outcome: store.Replaced, StoreDuration: time.Millisecond}, "Refreshed 1"},
		{"listed", httpapi.Event{Operation: store.OpList, Outcome: store.OK, StoreDuration: time.Millisecond}, "1"},
		{"deactivated", httpapi.Event{Operation: store.OpDeactivate, Outcome: store.OK, StoreDuration: time.Millisecond}, "Deactivated 1"},
		{"erased", httpapi.Event{Operation: store.OpDelete, Outcome: store.OK, StoreDuration: time.Millisecond}, "Erased 1"},
		{"rejected", httpapi.Event{Outcome: store.Invalid}, "Rejected"},
		{"try again", httpapi.Event{Outcome: store.TryAgain, StoreDuration: time.Second}, "TryAgain 1000"},
		{"failed before the store", httpapi.Event{Outcome: store.Failed}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			metrics{stage: "prod", w: &out, now: func() time.Time { return now }}.observe(test.event)
			if test.want == "" {
				if out.Len() > 0 {
					t.Errorf("written is %s", out.String())
				}
				return
			}
			if bytes.IndexByte(out.Bytes(), '\n') != out.Len()-1 {
				t.Errorf("not one line: %s", out.String())
			}
			want, definitions := map[string]any{"Stage": "prod"}, []any{}
			for _, word := range strings.Fields(test.want) {
				name, unit, value := word, "Count", 1.0
				if n, _ := fmt.Sscan(word, &value); n == 1 {
					name, unit = "StoreLatency", "Milliseconds"
				}
				want[name] = value
				definitions = append(definitions, map[string]any{"Name": name, "Unit": unit})
			}
			want["_aws"] = map[string]any{
				"Timestamp": float64(now.UnixMilli()),
				"CloudWatchMetrics": []any{
					map[string]any{"Namespace": "DeviceTokens", "Dimensions": []any{[]any{"Stage"}}, "Metrics": definitions},
				},
			}
			if diff := cmp.Diff(want, decode(t, out.Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
