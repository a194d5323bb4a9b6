package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// These tests send requests over a socket, through net/http's server.

// dialogue sends raw text to a server and returns the response. After an incomplete
// request it closes its side of the connection. After a complete one it does not,
// because net/http may then cancel the request.
func dialogue(t *testing.T, h http.Handler, method, request string, incomplete bool) *http.Response {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	if incomplete {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestOverSocket(t *testing.T) {
	const head = " /v1/device-tokens HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
	for _, tc := range []struct {
		name, method, request string
		incomplete            bool
		authenticate          httpapi.Authenticator
		status                int
		text                  string // in the body
	}{
		{"chunked", "POST", "POST" + head + "Transfer-Encoding: chunked\n\n2\n{}\n0\n\n", false, alice, 422, "invalid_fields"},
		{"chunked and too large", "POST", "POST" + head + "Transfer-Encoding: chunked\n\n2000\n" + strings.Repeat(" ", 8192), false, alice, 413, "content_too_large"},
		{"chunked and broken", "POST", "POST" + head + "Transfer-Encoding: chunked\n\nzz\n", false, alice, 400, "incomplete_body"},
		{"shorter than it says", "POST", "POST" + head + "Content-Length: 10\n\n{}", true, alice, 400, "incomplete_body"},
		{"expects a go-ahead that it gets", "POST", "POST" + head + "Expect: 100-continue\nContent-Length: 2\n\n{}", false, alice, 100, ""},
		{"expects a go-ahead for too much", "POST", "POST" + head + "Expect: 100-continue\nContent-Length: 9999\n\n", false, alice, 413, "content_too_large"},
		{"expects a go-ahead, unknown", "POST", "POST" + head + "Expect: 100-continue\nContent-Length: 2\n\n", false, unknown, 401, "unauthenticated"},
		{"head", "HEAD", "HEAD" + head + "\n", false, alice, 200, ""},
		{"an encoded hyphen", "GET", "GET /v1/device%2Dtokens HTTP/1.1\nHost: a\n\n", false, alice, 200, "deviceTokens"},
		{"a host", "CONNECT", "CONNECT a:1 HTTP/1.1\nHost: a:1\n\n", false, alice, 404, "not_found"},
		{"a whole URL", "GET", "GET http://a/v1/device-tokens HTTP/1.1\nHost: a\n\n", false, alice, 200, "deviceTokens"},
		{"a star", "GET", "GET * HTTP/1.1\nHost: a\n\n", false, alice, 404, "not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := httpapi.MustNew(memstore.MustNew(store.Policy{}), tc.authenticate, quiet(httpapi.Options{}))
			resp := dialogue(t, h, tc.method, tc.request, tc.incomplete)
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tc.status || !strings.Contains(string(body), tc.text) {
				t.Errorf("answer is %d %q, want %d and %q", resp.StatusCode, body, tc.status, tc.text)
			}
		})
	}
}

type waiting struct {
	store.Store
	entered chan struct{}
}

func (w waiting) List(ctx context.Context, _ tokens.UserID) ([]tokens.Registration, error) {
	close(w.entered)
	<-ctx.Done()
	return nil, fmt.Errorf("list: %w", ctx.Err())
}

func TestClientGoes(t *testing.T) {
	s := waiting{memstore.MustNew(store.Policy{}), make(chan struct{})}
	events := make(chan httpapi.Event, 1)
	server := httptest.NewServer(httpapi.MustNew(s, alice, quiet(httpapi.Options{
		Observe: func(e httpapi.Event) { events <- e },
	})))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.entered
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+httpapi.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := server.Client().Do(req); !errors.Is(err, context.Canceled) {
		if err == nil {
			_ = resp.Body.Close()
		}
		t.Fatalf("error is %v", err)
	}
	if e := <-events; e.Outcome != store.Canceled || e.Status != 503 || e.StoreDuration <= 0 {
		t.Errorf("event is %+v", e)
	}
}

// TestAbort checks that a panic that is meant for net/http reaches it.
func TestAbort(t *testing.T) {
	abort := func(*http.Request) (tokens.UserID, error) { panic(http.ErrAbortHandler) }
	h := httpapi.MustNew(memstore.MustNew(store.Policy{}), abort, quiet(httpapi.Options{}))
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v", v)
		}
	}()
	send(t, h, "GET", httpapi.Path, "")
}
