package page

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/devicetokens/devicetokens/examples/internal/sameorigin"
	"github.com/devicetokens/devicetokens/examples/internal/sse"
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
	live    *sse.Hub     // of the pages that are open
	mu      sync.Mutex
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
	c := &Console{Options: o, ctx: ctx, key: rand.Text(), mux: http.NewServeMux(), live: sse.NewHub(ctx)}
	c.guarded = sameorigin.Guard(http.HandlerFunc(c.admit))
	c.mux.HandleFunc("GET /console", func(w http.ResponseWriter, _ *http.Request) { c.show(w, view{}) })
	c.mux.HandleFunc("GET /console/user", c.user)
	c.mux.HandleFunc("POST /console/holder", c.holder)
	c.mux.HandleFunc("POST /console/count", c.count)
	c.mux.Handle("GET /console/events", c.live)
	if o.AllowChanges {
		c.mux.HandleFunc("POST /console/change", c.change)
	}
	c.mux.Handle("GET /page/", assets())
	if o.Events != nil {
		o.Events.Notify(func() { c.live.Publish("event", 0) })
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
		c.live.Publish("progress", rows)
	})
	c.mu.Lock()
	c.Counting, c.Err = false, err
	if err == nil {
		c.Totals = t
	}
	c.mu.Unlock()
	c.live.Publish("counted", 0)
}
