package page

import (
	"fmt"
	"net/http"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/totals"
)

// heartbeat is how often a stream on which nothing happens shows that it is open.
const heartbeat = 5 * time.Second

// publish sends a server-sent event to every page that is open. A page that reads too
// slowly loses its stream, opens it again, and then reads all anew.
func (c *Console) publish(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for stream := range c.streams {
		select {
		case stream <- fmt.Appendf(nil, "event: %s\ndata: %d\n\n", name, n):
		default:
			close(stream)
			delete(c.streams, stream)
		}
	}
}

// stream sends what happens until the page is closed.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	stream := make(chan []byte, 64)
	c.mu.Lock()
	c.streams[stream] = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.streams, stream)
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
		case <-c.ctx.Done():
			return
		}
	}
}

// count starts a walk over the store, if none runs.
func (c *Console) count(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.Counting {
		c.progress = progress{Counting: true, Totals: c.Totals}
		go c.walk()
	}
	http.Redirect(w, r, "/console", http.StatusSeeOther)
}

func (c *Console) walk() {
	t, err := totals.Walk(c.ctx, c.Walker, c.Rate, func(rows int) {
		c.mu.Lock()
		c.Rows = rows
		c.mu.Unlock()
		c.publish("progress", rows)
	})
	c.mu.Lock()
	c.Counting, c.Err = false, err
	if err == nil {
		c.Totals = t
	}
	c.mu.Unlock()
	c.publish("counted", 0)
}
