package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/e2e"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
)

// Three deployments give the same answers: the server of examples/local, the function
// behind a REST API with an authorizer, and the function behind an HTTP API, where it
// verifies the tokens itself.
func TestDeployments(t *testing.T) {
	var transcripts [3][]string
	walk := func(i int, name, url string, bearer func(string) string) {
		t.Run(name, func(t *testing.T) {
			r := &recorder{target: url}
			e2e.Run(t, serve(t, r), bearer)
			transcripts[i] = r.exchanges
		})
	}
	walk(0, "local", startLocal(t), func(user string) string { return user })

	rest := deploy(t, onTable(t))
	gateway := standin.Gateway{Invoke: rest.Invoke, Stage: "prod", Authorize: bearerIsUser}
	walk(1, "REST", serve(t, gateway.REST())+"/prod", func(user string) string { return user })

	issuer := oidctest.New(t)
	api := deploy(t, withOIDC(onTable(t), issuer, "cognito-access"))
	gateway = standin.Gateway{Invoke: api.Invoke, Stage: "prod"}
	walk(2, "HTTP", serve(t, gateway.HTTP())+"/prod", func(user string) string {
		return issuer.Token(t, map[string]any{"sub": user, "token_use": "access", "client_id": "the-app"})
	})

	if len(transcripts[0]) < 40 {
		t.Errorf("%d exchanges, want more", len(transcripts[0]))
	}
	for i, name := range []string{"REST", "HTTP"} {
		if diff := cmp.Diff(transcripts[0], transcripts[i+1]); diff != "" {
			t.Errorf("answers of the function behind %s (-local +function):\n%s", name, diff)
		}
	}
	for _, f := range []*deployed{rest, api} {
		checkSignals(t, f.output.String())
	}
}

// checkSignals checks the log and the metrics of a function.
func checkSignals(t *testing.T, printed string) {
	t.Helper()
	for _, private := range []string{"PushToken[", "alice", "phone", "eyJ"} {
		if strings.Contains(printed, private) {
			t.Errorf("%q is in the log", private)
		}
	}
	if n := strings.Count(printed, `"cold_start":true`); n != 1 {
		t.Errorf("%d cold starts, want one", n)
	}
	for _, metric := range []string{"Created", "Refreshed", "Moved", "Deactivated", "Erased", "Rejected", "StoreLatency"} {
		if !strings.Contains(printed, `"`+metric+`":`) {
			t.Errorf("no metric %s", metric)
		}
	}
}

// startLocal starts the server of examples/local and returns its address.
func startLocal(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local")
	if err := command("go", "build", "-o", path, "../local"); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-addr", "127.0.0.1:0", "-db", "memory")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed with the test's context
	for line := bufio.NewScanner(stdout); line.Scan(); {
		if url := regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindString(line.Text()); url != "" {
			go func() { _, _ = io.Copy(io.Discard, stdout) }() // ends with the process
			return url
		}
	}
	t.Fatal("examples/local printed no address")
	return ""
}

// A recorder passes requests on to a deployment, and records what must be the same for
// each deployment.
type recorder struct {
	target string

	mu        sync.Mutex
	exchanges []string
}

var (
	times      = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	requestIDs = regexp.MustCompile(`"requestId":"[^"]+"`)
)

// compared are the headers of the API, not those of the gateway in front of it.
var compared = []string{
	"Allow", "Cache-Control", "Content-Length", "Content-Type", "Retry-After", "Www-Authenticate", "X-Content-Type-Options",
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, rec.target+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(err) // it was a request already
	}
	out.Header, out.ContentLength = r.Header, r.ContentLength
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	text := requestIDs.ReplaceAllString(times.ReplaceAllString(string(body), "TIME"), `"requestId":"ID"`)
	exchange := []string{r.Method + " " + r.URL.RequestURI(), resp.Status, text}
	for name, values := range resp.Header {
		if slices.Contains(compared, name) && (name != "Content-Length" || text == string(body)) {
			exchange = append(exchange, name+": "+strings.Join(values, " AND "))
		}
		w.Header()[name] = values
	}
	slices.Sort(exchange[3:])
	rec.mu.Lock()
	rec.exchanges = append(rec.exchanges, strings.Join(exchange, "\n"))
	rec.mu.Unlock()
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body) // the suite notices
}

// BenchmarkColdStart starts the function in a new process and sends it one
// request, against a table that answers at once. init-ms ends when the function
// asks for its first event, answer-ms is the time of the request.
func BenchmarkColdStart(b *testing.B) {
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Count":0,"Items":[],"ScannedCount":0}`)
	}))
	defer table.Close()

	var initial, answering time.Duration
	var peak int64
	for b.Loop() {
		function := deploy(b, map[string]string{"AWS_ENDPOINT_URL": table.URL})
		if err := function.Start(); err != nil {
			b.Fatal(err)
		}
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
		initial += function.InitDuration()
		peak = max(peak, memory)
		function.Close()
	}
	b.ReportMetric(1e3*initial.Seconds()/float64(b.N), "init-ms")
	b.ReportMetric(1e3*answering.Seconds()/float64(b.N), "answer-ms")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}
