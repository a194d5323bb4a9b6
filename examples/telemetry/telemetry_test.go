package telemetry_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/devicetokens/devicetokens/examples/telemetry"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// collect returns the metrics of an event of each kind.
func collect(t *testing.T) []metricdata.Metrics {
	t.Helper()
	reader := metric.NewManualReader()
	meter := metric.NewMeterProvider(metric.WithReader(reader)).Meter("test")
	observe, err := telemetry.Store(meter)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := telemetry.Handler(meter)
	if err != nil {
		t.Fatal(err)
	}
	observe(store.Event{
		Operation: store.OpList, Outcome: "ok", Duration: time.Second,
		ReadUnits: 2, Corrupt: []tokens.Key{{UserID: "u", DeviceID: "d"}},
	})
	handler(httpapi.Event{Method: http.MethodPost, Status: http.StatusCreated, Outcome: store.Created, Moved: true})

	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	return got.ScopeMetrics[0].Metrics
}

func TestObserversRecord(t *testing.T) {
	sums := map[string]float64{}
	for _, m := range collect(t) {
		name, _, sum := series(m)
		sums[name] = sum
	}
	want := map[string]float64{
		"devicetokens_store_duration_seconds": 1, "devicetokens_store_capacity_total": 2, "devicetokens_store_corrupt_rows_total": 1,
		"http_server_request_duration_seconds": 1, "devicetokens_moved_total": 1,
	}
	if diff := cmp.Diff(want, sums); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// dashboard.json shows each metric that this package records, by its attributes, and no
// other.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	recorded := map[string][]string{} // the labels of each series
	for _, m := range collect(t) {
		name, labels, _ := series(m)
		recorded[name] = labels
	}
	shown := map[string]bool{}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			name := regexp.MustCompile(`(?:devicetokens|http)_\w+`).FindString(regexp.MustCompile(`by \([^)]*\)`).ReplaceAllString(target.Expr, ""))
			name = strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
			labels, found := recorded[name]
			if !found {
				t.Errorf("%s: nothing records %s", p.Title, name)
			}
			shown[name] = true
			var used []string
			for _, list := range regexp.MustCompile(`by \(([^)]*)\)|\{(\w+)=|\{\{(\w+)\}\}`).FindAllStringSubmatch(target.Expr+target.LegendFormat, -1) {
				used = append(used, strings.Split(list[1]+list[2]+list[3], ", ")...)
			}
			for _, label := range used {
				if label != "le" && !slices.Contains(labels, label) {
					t.Errorf("%s: %s has no %s", p.Title, name, label)
				}
			}
		}
	}
	for name := range recorded {
		if !shown[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// series returns the name and the labels that Prometheus gives a metric, and its sum; for
// a histogram the number of values.
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
// has the rule: the unit is appended, unless it is in braces, and so is _total.
func series(m metricdata.Metrics) (name string, labels []string, sum float64) {
	name = strings.ReplaceAll(m.Name, ".", "_")
	if m.Unit == "s" {
		name += "_seconds"
	}
	var attributes attribute.Set
	switch data := m.Data.(type) {
	case metricdata.Histogram[float64]:
		attributes, sum = data.DataPoints[0].Attributes, float64(data.DataPoints[0].Count)
	case metricdata.Sum[float64]:
		name += "_total"
		attributes, sum = data.DataPoints[0].Attributes, data.DataPoints[0].Value+data.DataPoints[1].Value
	case metricdata.Sum[int64]:
		name += "_total"
		attributes, sum = data.DataPoints[0].Attributes, float64(data.DataPoints[0].Value)
	}
	for _, a := range attributes.ToSlice() {
		labels = append(labels, strings.ReplaceAll(string(a.Key), ".", "_"))
	}
	return name, labels, sum
}
