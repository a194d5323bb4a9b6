package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/e2e"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
)

// Two deployments work as apps use them: the function behind a REST API with an
// authorizer, and behind an HTTP API, where it verifies the tokens itself.
func TestDeployments(t *testing.T) {
	rest := deploy(t, onTable(t))
	gateway := standin.Gateway{Invoke: rest.Invoke, Stage: "prod", Authorize: bearerIsUser}
	t.Run("REST", func(t *testing.T) {
		e2e.Run(t, serve(t, gateway.REST())+"/prod", func(user string) string { return user })
	})

	issuer := oidctest.New(t)
	api := deploy(t, withOIDC(onTable(t), issuer, "cognito-access"))
	gateway = standin.Gateway{Invoke: api.Invoke, Stage: "prod"}
	t.Run("HTTP", func(t *testing.T) {
		e2e.Run(t, serve(t, gateway.HTTP())+"/prod", func(user string) string {
			return issuer.Token(t, map[string]any{"sub": user, "token_use": "access", "client_id": "the-app"})
		})
	})
	for _, f := range []*deployed{rest, api} {
		f.checkLog(t, 1, `"Created":`, `"Refreshed":`, `"Moved":`, `"Deactivated":`, `"Erased":`, `"Rejected":`, `"StoreLatency":`)
	}
}

// BenchmarkColdStart starts the function in a new process and sends it one
// request, against a table that answers at once. init-ms ends when the function
// asks for its first event, answer-ms is the time of the request.
func BenchmarkColdStart(b *testing.B) {
	table := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Count":0,"Items":[],"ScannedCount":0}`)
	}))

	var initial, answering time.Duration
	var peak int64
	for b.Loop() {
		function := deploy(b, map[string]string{"AWS_ENDPOINT_URL": table})
		toStart, err := function.Start()
		if err != nil {
			b.Fatal(err)
		}
		initial += toStart
		began := time.Now()
		answer, err := function.Invoke(b.Context(), listEvent)
		answering += time.Since(began)
		if err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) {
			b.Fatalf("it answered %s (%v)", answer, err)
		}
		memory, err := function.PeakMemory()
		if err != nil {
			b.Fatal(err)
		}
		peak = max(peak, memory)
		function.Close()
	}
	b.ReportMetric(1e3*initial.Seconds()/float64(b.N), "init-ms")
	b.ReportMetric(1e3*answering.Seconds()/float64(b.N), "answer-ms")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}
