package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tsenart/vegeta/v12/lib"
)

// TestCheckGood shows that a wrong answer to a good client is noticed.
func TestCheckGood(t *testing.T) {
	const alices = `{"deviceTokens":[{"deviceId":"user-0001-phone-0"}]}`
	for _, tc := range []struct {
		name, id string
		code     uint16
		body     string
		err      string
		want     string // a part of the complaint; none if empty
	}{
		{name: "refreshed", id: "refresh.user-0001.7", code: 200},
		{name: "logged out", id: "logout.user-0001.7", code: 204},
		{name: "own list", id: "list.user-0001.7", code: 200, body: alices},
		{name: "another's list", id: "list.user-0002.7", code: 200, body: alices, want: "somebody else's"},
		{name: "no JSON", id: "list.user-0001.7", code: 200, body: "<html>", want: "invalid character"},
		{name: "refused", id: "refresh.user-0001.7", code: 503, err: "503 Service Unavailable", want: "answered with 503"},
		{name: "status of another request", id: "list.user-0001.7", code: 204, want: "answered with 204"},
		{name: "no answer", err: "connection refused", want: "no answer"},
		{name: "an answer without an id", code: 200, want: "answered with 200"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := checkGood(&vegeta.Result{Code: tc.code, Body: []byte(tc.body), Error: tc.err, Headers: http.Header{"X-Request-Id": {tc.id}}})
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestPatientServer lets each bad client loose on a server without any time-out,
// which holds on to those that go slowly or wait.
func TestPatientServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	held := 0
	for _, m := range misuses {
		m.limit = 200 * time.Millisecond
		tl := &tally{misuse: m, statuses: make(map[int]int)}
		tl.connect(t.Context(), strings.TrimPrefix(server.URL, "http://"))
		if tl.connections != 1 {
			t.Errorf("%s: %d connections, want 1", m.name, tl.connections)
		}
		if strings.Contains(strings.Join(tl.problems(), "\n"), "had not ended 1 of 1") {
			held++
		}
	}
	if held < 4 {
		t.Errorf("the server was found to hold on to %d kinds of bad clients, want 4 or more", held)
	}
}

// TestTallyComplains shows what is noticed about a server that hangs up.
func TestTallyComplains(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	tl := &tally{misuse: misuse{name: "x", limit: slack, answers: []int{200}, talk: func(*net.TCPConn) {}}, statuses: make(map[int]int)}
	if got := tl.problems(); len(got) != 1 || !strings.Contains(got[0], "no connection") {
		t.Errorf("before it began: %q", got)
	}
	tl.connect(context.Background(), listener.Addr().String())
	if got := tl.problems(); len(got) != 1 || !strings.Contains(got[0], "answered with 0") {
		t.Errorf("got %q, want a complaint about no answer", got)
	}
}

// held is a run in which all was well.
func held() *soak {
	calm := func(name string, ms int) *phase {
		return &phase{name: name, latencies: []time.Duration{time.Duration(ms) * time.Millisecond}}
	}
	return &soak{
		times:  true,
		phases: []*phase{calm("quiet", 1), calm("under misuse", 5), calm("quiet again", 1)},
		states: []state{{Heap: 1 << 20}, {Heap: 1 << 20}, {Heap: 1 << 20}},
		memory: [parts]uint64{20 << 20, 30 << 20, 30 << 20, 90 << 20, 90 << 20},
	}
}

// TestJudge shows that each thing a run is held to is.
func TestJudge(t *testing.T) {
	if got := held().judge(); got != nil {
		t.Fatalf("of a good run: %q", got)
	}
	for _, tc := range []struct {
		name, want string
		spoil      func(*soak)
	}{
		{"wrong answers", "1 wrong answers", func(s *soak) { s.phases[1].wrong = 1 }},
		{"no load", "no good client was served", func(s *soak) { s.phases[0].latencies = nil }},
		{"slow", "p99 under misuse", func(s *soak) { s.phases[1].latencies[0] = 6 * time.Millisecond }},
		{"a heap that grew", "heap holds", func(s *soak) { s.states[2].Heap = 6 << 20 }},
		{"a process that grew", "memory grows", func(s *soak) { s.memory[misusedLonger] = 80 << 20 }},
		{"a process that is large", "at most", func(s *soak) { s.memory[quietAgain] = mostResident + 1 }},
		{"more connections than it takes", "under a crowd", func(s *soak) { s.packed.Goroutines = 5000 }},
		{"a flood that was let in", "answered with 200", func(s *soak) {
			s.floods = []*flood{{name: "f", status: 401, answers: map[uint16]int{401: 1, 200: 1}}}
		}},
		{"a flood that never came", "none was answered", func(s *soak) { s.floods = []*flood{{name: "f", status: 401}} }},
		{"a bad client that never came", "no connection", func(s *soak) { s.tallies = []*tally{{}} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := held()
			tc.spoil(s)
			got := s.judge()
			if len(got) != 1 || !strings.Contains(got[0], tc.want) {
				t.Errorf("got %q, want one complaint with %q", got, tc.want)
			}
		})
	}
}

// TestServerLog shows which lines are found in a log, also when they come in
// pieces.
func TestServerLog(t *testing.T) {
	var l serverLog
	for _, piece := range []string{"level=INFO msg=a\nlevel=ERR", "OR msg=b\nExpoPush", "Token[x]\nno line ye"} {
		if _, err := l.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if lines, bad := l.found(); lines != 3 || len(bad) != 2 {
		t.Errorf("got %d lines and %q, want 3 and two bad ones", lines, bad)
	}
}
