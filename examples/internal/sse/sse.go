// Package sse sends server-sent events to every page that is open.
package sse

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// heartbeat is how often a stream on which nothing happens shows that it is open.
const heartbeat = 5 * time.Second

// A Hub is an [http.Handler] whose answers are streams of events. It is safe for
// concurrent use.
type Hub struct {
	ctx     context.Context
	mu      sync.Mutex
	streams map[chan []byte]bool
}

// NewHub returns a hub whose streams end with ctx.
func NewHub(ctx context.Context) *Hub { return &Hub{ctx: ctx, streams: map[chan []byte]bool{}} }

// Publish sends an event to every page that is open. A page that reads too slowly
// loses its stream, opens it again, and then reads all anew.
func (h *Hub) Publish(name string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for stream := range h.streams {
		select {
		case stream <- fmt.Appendf(nil, "event: %s\ndata: %d\n\n", name, n):
		default:
			close(stream)
			delete(h.streams, stream)
		}
	}
}

// ServeHTTP sends what is published until the page is closed.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stream := make(chan []byte, 64)
	h.mu.Lock()
	h.streams[stream] = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams, stream)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Time{}) // the server's would end the stream
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for text := []byte(": \n\n"); ; {
		_ = connection.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		if _, err := w.Write(text); err != nil || connection.Flush() != nil {
			return
		}
		var open bool
		select {
		case text, open = <-stream:
			if !open {
				return
			}
		case <-beat.C:
			text = []byte(": \n\n")
		case <-r.Context().Done():
			return
		case <-h.ctx.Done():
			return
		}
	}
}
