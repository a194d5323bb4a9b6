package function

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

func TestMetrics(t *testing.T) {
	for _, test := range []struct {
		name  string
		event httpapi.Event
		want  map[string]float64 // nil if nothing is written
	}{
		{"created", httpapi.Event{Outcome: store.Created, StoreDuration: 12345 * time.Microsecond}, map[string]float64{"Created": 1, "StoreLatency": 12.345}},
		{"moved", httpapi.Event{Outcome: store.Created, Moved: true, StoreDuration: time.Millisecond}, map[string]float64{"Created": 1, "Moved": 1, "StoreLatency": 1}},
		{"refreshed", httpapi.Event{Outcome: store.Refreshed, StoreDuration: time.Millisecond}, map[string]float64{"Refreshed": 1, "StoreLatency": 1}},
		{"replaced", httpapi.Event{Outcome: store.Replaced, StoreDuration: time.Millisecond}, map[string]float64{"Refreshed": 1, "StoreLatency": 1}},
		{"listed", httpapi.Event{Operation: store.OpList, Outcome: store.OK, StoreDuration: time.Millisecond}, map[string]float64{"StoreLatency": 1}},
		{"deactivated", httpapi.Event{Operation: store.OpDeactivate, Outcome: store.OK, StoreDuration: time.Millisecond}, map[string]float64{"Deactivated": 1, "StoreLatency": 1}},
		{"erased", httpapi.Event{Operation: store.OpDelete, Outcome: store.OK, StoreDuration: time.Millisecond}, map[string]float64{"Erased": 1, "StoreLatency": 1}},
		{"rejected", httpapi.Event{Outcome: store.Invalid}, map[string]float64{"Rejected": 1}},
		{"try again", httpapi.Event{Outcome: store.TryAgain, StoreDuration: time.Second}, map[string]float64{"TryAgain": 1, "StoreLatency": 1000}},
		{"failed before the store", httpapi.Event{Outcome: store.Failed}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			now := time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)
			metrics{stage: "prod", w: &out, now: func() time.Time { return now }}.observe(test.event)
			if test.want == nil {
				if out.Len() > 0 {
					t.Errorf("written is %s", out.String())
				}
				return
			}
			line := out.Bytes()
			if bytes.IndexByte(line, '\n') != len(line)-1 {
				t.Errorf("not one line: %s", line)
			}
			got := decode(t, line)
			checkDirective(t, got["_aws"], now, test.want)
			delete(got, "_aws")
			want := map[string]any{"Stage": "prod"}
			for name, value := range test.want {
				want[name] = value
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

func checkDirective(t *testing.T, aws any, now time.Time, values map[string]float64) {
	t.Helper()
	object, _ := aws.(map[string]any)
	if object["Timestamp"] != float64(now.UnixMilli()) {
		t.Errorf("timestamp is %v", object["Timestamp"])
	}
	directives, _ := object["CloudWatchMetrics"].([]any)
	if len(directives) != 1 {
		t.Fatalf("directives are %v", object["CloudWatchMetrics"])
	}
	d := directives[0].(map[string]any)
	units := map[string]string{}
	for _, m := range d["Metrics"].([]any) {
		m := m.(map[string]any)
		units[m["Name"].(string)] = m["Unit"].(string)
	}
	want := map[string]string{}
	for name := range values {
		want[name] = "Count"
		if name == "StoreLatency" {
			want[name] = "Milliseconds"
		}
	}
	if diff := cmp.Diff(want, units); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	delete(d, "Metrics")
	if diff := cmp.Diff(map[string]any{"Namespace": "DeviceTokens", "Dimensions": []any{[]any{"Stage"}}}, d); diff != "" {
		t.Errorf("directive (-want +got):\n%s", diff)
	}
}
