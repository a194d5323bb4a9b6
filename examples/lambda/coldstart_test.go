package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
)

// BenchmarkColdStart starts the function in a new process and sends it one
// request, against a table that answers at once. init-ms ends when the function
// asks for its first event, answer-ms is the time of the request.
func BenchmarkColdStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "bootstrap")
	if err := pack.Binary(b.Context(), ".", runtime.GOOS, runtime.GOARCH, program); err != nil {
		b.Fatal(err)
	}
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Count":0,"Items":[],"ScannedCount":0}`)
	}))
	defer table.Close()

	var initial, answering time.Duration
	var peak int64
	for b.Loop() {
		function := &standin.Lambda{Command: []string{program}, Output: io.Discard, Env: map[string]string{
			"AWS_ENDPOINT_URL":        table.URL,
			"DEVICE_TOKEN_TABLE_NAME": "device-tokens",
			"DEVICE_TOKEN_STAGE":      "bench",
			"DEVICE_TOKEN_AUTH":       "claims",
		}}
		if err := function.Start(); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		answer, err := function.Invoke(b.Context(), []byte(`{"resource":"/v1/device-tokens","path":"/v1/device-tokens","httpMethod":"GET",
			"headers":{"Accept":"application/json"},"multiValueHeaders":{"Accept":["application/json"]},
			"requestContext":{"requestId":"r","authorizer":{"claims":{"sub":"alice"}}},"body":null,"isBase64Encoded":false}`))
		answering += time.Since(began)
		if err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) {
			b.Fatalf("it answered %s (%v)", answer, err)
		}
		memory, err := function.PeakMemory()
		if err != nil {
			b.Fatal(err)
		}
		initial += function.InitDuration()
		peak = max(peak, memory)
		function.Close()
	}
	b.ReportMetric(1e3*initial.Seconds()/float64(b.N), "init-ms")
	b.ReportMetric(1e3*answering.Seconds()/float64(b.N), "answer-ms")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
}
