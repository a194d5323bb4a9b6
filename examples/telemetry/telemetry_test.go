package telemetry_test

import (
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/devicetokens/devicetokens/examples/telemetry"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func TestObserversRecord(t *testing.T) {
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
	sums := map[string]float64{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			sums[m.Name] = float64(data.DataPoints[0].Count)
		case metricdata.Sum[float64]:
			sums[m.Name] = data.DataPoints[0].Value + data.DataPoints[1].Value
		case metricdata.Sum[int64]:
			sums[m.Name] = float64(data.DataPoints[0].Value)
		}
	}
	for name, want := range map[string]float64{
		"devicetokens.store.duration":     1,
		"devicetokens.store.capacity":     2,
		"devicetokens.store.corrupt_rows": 1,
		"http.server.request.duration":    1,
		"devicetokens.moved":              1,
	} {
		if sums[name] != want {
			t.Errorf("%s is %v, want %v", name, sums[name], want)
		}
	}
}
