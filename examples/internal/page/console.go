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

	"github.com/devicetokens/devicetokens/store"
)

// Options are what a console shows and may do.
type Options struct {
	Name   string       // of the store, for the heading
	Store  store.Store  // a store.Inspector
	Walker store.Walker // for totals
	Events *Watched     // whose events appear live; nil for none
	Rate   int          // rows a second that totals read; 0 means 2,000

	AllowChanges bool // deactivate and erase
	Remote       bool // serve clients on other machines too
	Logger       *slog.Logger
}

// A Console answers an operator who has its key. It never shows a token.
type Console struct {
	Options
	ctx  context.Context
	key  string
	mux  *http.ServeMux
	live *hub // of the open pages

	mu sync.Mutex
	progress
}

// A progress is the state of the totals.
type progress struct {
	Counting bool
	Rows     int // of the current walk
	Err      error
	Totals   *totals // of the last complete walk; nil if there was none
}

// NewConsole returns a console that ends with ctx.
func NewConsole(ctx context.Context, o Options) *Console {
	o.Rate = cmp.Or(o.Rate, 2000)
	c := &Console{
		Options: o, ctx: ctx, key: rand.Text(), mux: http.NewServeMux(), live: &hub{ctx: ctx, streams: map[chan []byte]bool{}},
	}
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
		o.Events.mu.Lock()
		defer o.Events.mu.Unlock()
		o.Events.notify = func() { c.live.publish("event", 0) }
	}
	return c
}

// Path returns where the console is, with its key.
func (c *Console) Path() string { return "/console?key=" + c.key }

// ServeHTTP serves /console, the paths below it, and the files of the page.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guard(http.HandlerFunc(c.admit)).ServeHTTP(w, r)
}

// admit serves clients that have the key. It is in the URL once and then in a cookie,
// so that neither the history nor a screenshot shows it.
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

// count starts a walk over the store, if none is running.
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
	t, err := countAll(c.ctx, c.Walker, c.Rate, func(rows int) {
		c.mu.Lock()
		c.Rows = rows
		c.mu.Unlock()
		c.live.publish("progress", rows)
	})
	c.mu.Lock()
	c.Counting, c.Err = false, err
	if err == nil {
		c.Totals = t
	}
	c.mu.Unlock()
	c.live.publish("counted", 0)
}
