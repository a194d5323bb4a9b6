package httpapi

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// DefaultMaxBodyBytes is the size of the greatest request body that is read,
// unless [Options] say otherwise. The greatest valid registration is under 3 KiB,
// also where an encoder escapes all that is not ASCII.
const DefaultMaxBodyBytes = 4 << 10

// DefaultRetryAfter is how long a client is asked to wait after a 503, unless
// [Options] say otherwise.
const DefaultRetryAfter = 5 * time.Second

// Path is where the device tokens are, below [Options].BasePath.
const Path = "/v1/device-tokens"

// Options are what a handler can be told besides its store and its
// authenticator. The zero value is good; [New] copies it.
type Options struct {
	// Logger gets one line a request. nil means slog.Default() as it is when
	// New is called. To have no log, pass slog.New(slog.DiscardHandler).
	Logger *slog.Logger

	// BasePath is put before [Path], for a service that lives below a prefix:
	// "" or a path like "/api", clean, not ending in '/', of characters that
	// need no escape in a URL.
	BasePath string

	// Challenge is the value of WWW-Authenticate in a 401 (RFC 9110, section
	// 11.6.1). "" means "Bearer".
	Challenge string

	// MaxBodyBytes is the size of the greatest request body that is read. 0
	// means DefaultMaxBodyBytes.
	MaxBodyBytes int64

	// RetryAfter is how long a client is asked to wait after a 503, rounded up
	// to whole seconds. 0 means DefaultRetryAfter.
	RetryAfter time.Duration

	// Observe, if not nil, is called once a request, after the answer was
	// written and in the goroutine that wrote it: for metrics. It must be
	// safe for concurrent use, and must not panic.
	Observe func(Event)
}

// New returns a handler that serves s under [Options].BasePath + [Path], to the
// users whom authenticate names. It is safe for concurrent use if s and
// authenticate are.
//
// Any other path is 404, so the handler can be the whole of a server, or be
// mounted in another mux without a prefix being stripped.
//
// It panics if s or authenticate is nil, and if an option is outside its
// documented range: these are errors of the program, not of its input.
func New(s store.Store, authenticate Authenticator, opts Options) http.Handler {
	if s == nil || authenticate == nil {
		panic("httpapi: New needs a store and an authenticator")
	}
	h := &handler{store: s, authenticate: authenticate, options: opts.withDefaults()}
	route := h.options.BasePath + Path
	mux := http.NewServeMux()
	mux.Handle("POST "+route, h.serve(route, h.authenticated(h.register)))
	mux.Handle("GET "+route, h.serve(route, h.authenticated(h.list))) // and HEAD
	mux.Handle("DELETE "+route, h.serve(route, h.authenticated(h.remove)))
	mux.Handle(route, h.serve(route, refuse(methodNotAllowed)))
	notFound := h.serve("", refuse(notFound))
	mux.Handle("/", notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mux answers a path that is not clean with a redirect, in HTML.
		if r.URL.Path != route {
			notFound.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Challenge == "" {
		o.Challenge = "Bearer"
	}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = DefaultRetryAfter
	}
	if o.MaxBodyBytes < 0 || o.RetryAfter < 0 {
		panic("httpapi: Options.MaxBodyBytes and Options.RetryAfter must not be negative")
	}
	if p := o.BasePath; p != "" {
		plain := (&url.URL{Path: p}).EscapedPath() == p
		if p[0] != '/' || p == "/" || path.Clean(p) != p || !plain {
			panic("httpapi: Options.BasePath must be a clean path like /api")
		}
	}
	return o
}

type handler struct {
	store        store.Store
	authenticate Authenticator
	options      Options
}

// A call is one request on its way through the handler.
type call struct {
	w     http.ResponseWriter // for http.MaxBytesReader; only serve writes to it
	r     *http.Request
	user  tokens.UserID // set by authenticated
	event Event
}

// An endpoint works on a call and returns what to answer. It writes nothing, so
// that no answer is written half when it panics. Its error is a *problem, or
// what the store or the authenticator said.
type endpoint func(*call) (answer, error)

// An answer is a status and a JSON document; a nil body is none.
type answer struct {
	status int
	body   []byte
}

// serve is the way of every request: run the endpoint, write one answer, log one
// line, tell the observer once.
func (h *handler) serve(route string, run endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		c := &call{w: w, r: r, event: Event{
			RequestID: requestID(r.Header),
			Route:     route,
			Method:    knownMethod(r.Method),
		}}
		a, err := contain(run, c)
		if err != nil {
			a = h.refusal(c, err)
		}
		c.write(a)
		c.event.Status = a.status
		c.event.Duration = time.Since(began)
		h.log(r.Context(), &c.event, err)
		if h.options.Observe != nil {
			h.options.Observe(c.event)
		}
	})
}

// refusal turns the error of an endpoint into the answer, and records in the
// event what became of the request.
func (h *handler) refusal(c *call, err error) answer {
	p, outcome := diagnose(c.r.Context(), err)
	c.event.Outcome, c.event.Problem = outcome, p.Code
	switch header := c.w.Header(); p.Status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", h.options.Challenge)
	case http.StatusServiceUnavailable:
		seconds := (h.options.RetryAfter + time.Second - 1) / time.Second
		header.Set("Retry-After", strconv.Itoa(int(seconds)))
	default:
		for name, value := range p.header {
			header.Set(name, value)
		}
	}
	return p.answer(c.event.RequestID)
}

func (c *call) write(a answer) {
	header := c.w.Header()
	values := make([]string, 0, 5) // of all fields, in one allocation
	set := func(canonicalName, value string) {
		values = append(values, value)
		header[canonicalName] = values[len(values)-1 : len(values) : len(values)]
	}
	set("Cache-Control", "no-store")
	set("X-Content-Type-Options", "nosniff")
	set("X-Request-Id", c.event.RequestID)
	if a.body != nil {
		contentType := "application/json"
		if a.status >= 400 {
			contentType = "application/problem+json"
		}
		set("Content-Type", contentType)
		set("Content-Length", strconv.Itoa(len(a.body)))
	}
	c.w.WriteHeader(a.status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(a.body) // a client that is gone reads no answer
	}
}
