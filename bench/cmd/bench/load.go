package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/devicetokens/devicetokens/bench/server"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/figures"
)

// The load: a fixed rate, whatever the answers take, as apps do not wait for each
// other. Each tenth request is a list.
const (
	perSecond = 1_000
	attack    = 5 * time.Second
	users     = 999 // so that each of them is listed now and then
)

// measureLoad loads both handlers in turn, each in a process of its own.
func measureLoad(ctx context.Context, rounds int) (map[string]figures.Table, string, error) {
	rounds = max(1, rounds/4)
	urls := make([]string, len(server.Names))
	var stops []func()
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	for i, name := range server.Names {
		url, stop, err := startServer(ctx, name)
		if err != nil {
			return nil, "", err
		}
		urls[i], stops = url, append(stops, stop)
	}
	quantiles := []struct {
		name string
		of   float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}}
	ms := make([][][]float64, len(quantiles)) // by quantile, contender and round
	for q := range ms {
		ms[q] = make([][]float64, len(urls))
	}
	for round := range rounds + 1 {
		for i := range urls {
			i = (i + round) % len(urls)
			latencies, err := load(ctx, urls[i])
			if err != nil {
				return nil, "", fmt.Errorf("%s: %w", server.Names[i], err)
			}
			if round == 0 {
				continue // the connections are made, and the users registered
			}
			for q, quantile := range quantiles {
				at := latencies[int(quantile.of*float64(len(latencies)))]
				ms[q][i] = append(ms[q][i], float64(at)/float64(time.Millisecond))
			}
		}
	}
	table := figures.Table{Columns: []string{"quantile", server.Bare + ", ms", server.Ours + ", ms", "ratio"}}
	for q, quantile := range quantiles {
		table.Rows = append(table.Rows, []string{
			quantile.name, median(ms[q][0], 1), median(ms[q][1], 1), ratio(ms[q][1], ms[q][0]),
		})
	}
	how := fmt.Sprintf("%d requests a second for %v, %s; %s", perSecond, attack, medians(rounds), versions("github.com/tsenart/vegeta/v12"))
	return map[string]figures.Table{"latency": table}, how, nil
}

// load returns the latencies in ascending order. An answer that is no success is an
// error.
func load(ctx context.Context, url string) ([]time.Duration, error) {
	attacker := vegeta.NewAttacker(vegeta.Timeout(10 * time.Second))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	var latencies []time.Duration
	var failed error
	for r := range attacker.Attack(targets(url), vegeta.Rate{Freq: perSecond, Per: time.Second}, attack, "") {
		if r.Error != "" {
			failed = errors.New(r.Error)
		}
		latencies = append(latencies, r.Latency)
	}
	if err := errors.Join(failed, ctx.Err()); err != nil {
		return nil, err
	}
	slices.Sort(latencies)
	return latencies, nil
}

// targets are requests of one user after another.
func targets(url string) vegeta.Targeter {
	operations := server.Operations()
	var called atomic.Int64
	return func(t *vegeta.Target) error {
		n := int(called.Add(1))
		op := operations[0]
		if n%10 == 9 {
			op = operations[1]
		}
		t.Method, t.URL, t.Body = op.Method, url+httpapi.Path, nil
		t.Header = http.Header{"Authorization": {fmt.Sprintf("Bearer user-%d", n%users)}}
		if op.Body != nil {
			t.Body = []byte(op.Body(n % users))
			t.Header.Set("Content-Type", "application/json")
		}
		return nil
	}
}

// startServer runs this program once more, as a server.
func startServer(ctx context.Context, name string) (url string, stop func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, program, "-serve", name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	return strings.TrimSpace(line), stop, nil
}

// serve serves a contender, prints its URL, and ends with the standard input.
func serve(name string) error {
	h, err := server.Handler(name, nil)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = s.Close()
	}()
	fmt.Println("http://" + l.Addr().String())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
