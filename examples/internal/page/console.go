package page

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/totals"
	"github.com/devicetokens/devicetokens/examples/internal/watch"
	"github.com/devicetokens/devicetokens/store"
)

// Options are what a console shows and may do.
type Options struct {
	Name   string       // of the store, for the heading
	Store  store.Store  // an Inspector
	Walker store.Walker // for totals
	Events *watch.Store // whose events arrive live; nil for none
	Rate   int          // rows of a walk for totals, each second; 0 means 2,000

	AllowChanges bool // deactivate and erase, and not only look
	Remote       bool // serve clients on other machines too
	Logger       *slog.Logger
}

// A Console answers an operator who knows its key. It never shows a token.
type Console struct {
	Options
	ctx context.Context
	key string
	mux *http.ServeMux

	guarded http.Handler // admit
	mu      sync.Mutex
	streams map[chan []byte]bool // of pages that are open
	progress
}

// A progress is how far the totals are.
type progress struct {
	Counting bool
	Rows     int // of the walk that runs
	Err      error
	Totals   *totals.Totals // of the last one; nil if there was none
}

// NewConsole returns a console that ends with ctx.
func NewConsole(ctx context.Context, o Options) *Console {
	o.Rate = cmp.Or(o.Rate, 2000)
	c := &Console{Options: o, ctx: ctx, key: rand.Text(), mux: http.NewServeMux(), streams: map[chan []byte]bool{}}
	c.guarded = guard(http.HandlerFunc(c.admit))
	c.mux.HandleFunc("GET /console", func(w http.ResponseWriter, _ *http.Request) { c.show(w, view{}) })
	c.mux.HandleFunc("GET /console/user", c.user)
	c.mux.HandleFunc("POST /console/holder", c.holder)
	c.mux.HandleFunc("POST /console/count", c.count)
	c.mux.HandleFunc("GET /console/events", c.stream)
	if o.AllowChanges {
		c.mux.HandleFunc("POST /console/change", c.change)
	}
	c.mux.Handle("GET /page/", assets())
	if o.Events != nil {
		o.Events.Notify(func() { c.publish("event", 0) })
	}
	return c
}

// Path returns where the console is, with its key.
func (c *Console) Path() string { return "/console?key=" + c.key }

// ServeHTTP serves /console and what is below it, and the files of the page.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.guarded.ServeHTTP(w, r) }

// admit serves clients that know the key. It is in the URL once, and in a cookie from
// then on, so that no history and no picture of a screen has it.
func (c *Console) admit(w http.ResponseWriter, r *http.Request) {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if !c.Remote && (err != nil || !client.Addr().Unmap().IsLoopback()) {
		http.Error(w, "the console is for this machine only", http.StatusForbidden)
		return
	}
	_, port, _ := net.SplitHostPort(r.Host)
	name := "console-" + port // browsers send the cookies of a host to each of its ports
	given, cookie := r.URL.Query().Get("key"), ""
	if sent, err := r.Cookie(name); err == nil {
		cookie = sent.Value
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/console" && c.isKey(given):
		http.SetCookie(w, &http.Cookie{Name: name, Value: c.key, Path: "/console", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		http.Redirect(w, r, "/console", http.StatusSeeOther)
	case !c.isKey(cookie):
		http.Error(w, "open the address that the program printed when it started", http.StatusForbidden)
	default:
		c.mux.ServeHTTP(w, r)
	}
}

func (c *Console) isKey(s string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(c.key)) == 1
}

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
