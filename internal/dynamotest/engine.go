package dynamotest

import (
	_ "embed"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Endpoint returns the base URL of a DynamoDB: the value of DYNAMODB_ENDPOINT, or else the shared DynamoDB Local, which
// keeps its data in memory. Any region and credentials do for the latter, but each pair of region and access key sees
// tables of its own. Tests share it: each makes a table of its own.
func Endpoint(tb testing.TB) string {
	tb.Helper()
	return dynamoDBLocal.URL(tb)
}

// pom is what scripts/dynamodb-local.sh leaves a copy of beside the files it fetched for it.
//
//go:embed pom.xml
var pom string

var dynamoDBLocal = &Engine{
	Name:     "DynamoDB",
	Variable: "DYNAMODB_ENDPOINT",
	Target:   "dynamodb-local",
	Pom:      pom,
	Programs: []string{"java", "sh"},
	Format:   "http://%s",
	Command: func(lib, _, address string) (*exec.Cmd, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		// Java's second compiler does not pay off in runs of minutes: without it, and with one thread for the garbage, the
		// engine takes half the processor time.
		return exec.Command("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+lib, "-cp", filepath.Join(lib, "*"),
			"software.amazon.dynamodb.services.local.main.ServerRunner", "-disableTelemetry", "-inMemory", "-port", port), nil
	},
	Answers: answers,
	Taken:   "Failed to bind",
	Signal:  "KILL",
}

// answers reports whether a DynamoDB answers at the address: it refuses an unsigned request in words of its own.
func answers(address string) bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + address)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return err == nil && strings.Contains(string(text), "MissingAuthenticationToken")
}
