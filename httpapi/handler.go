package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
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

// An Authenticator says whose request this is. It is the only source of user
// ids, and there is no anonymous user. It is called before anything is read of
// the body, which it must leave alone, and concurrently.
//
// Its error decides the answer:
//
//   - [ErrUnauthenticated], 401: no credential, or not a good one.
//   - [store.ErrTryAgain], 503: it cannot tell now, as when the keys to verify a
//     signature with cannot be fetched. An app that got a 401 would log its user
//     out. So is context.DeadlineExceeded.
//   - any other, 500.
//
// The errors are matched with [errors.Is]. Their text is logged, so it must
// have no credential and no user id in it; it is never answered.
//
// A user id that breaks the rule of [tokens.UserID] is answered with 403.
type Authenticator func(*http.Request) (tokens.UserID, error)

// ErrUnauthenticated says that a request has no credential, or not a good one.
// An [Authenticator] returns it, or wraps it; the answer is 401.
var ErrUnauthenticated = errors.New("httpapi: not authenticated")

// errForbidden says that the authenticator named a user who cannot be stored.
var errForbidden = errors.New("httpapi: the authenticated user id cannot be stored")

// New returns a handler that serves s under [Options].BasePath + [Path], to the
// users whom authenticate names. It is safe for concurrent use if s and
// authenticate are.
//
// Any other path is 404, so the handler can be the whole of a server, or be
// mounted in another mux without a prefix being stripped.
//
// The error names everything that is wrong: that s or authenticate is nil, and
// each option outside its documented range.
func New(s store.Store, authenticate Authenticator, opts Options) (http.Handler, error) {
	var errs []error
	if s == nil {
		errs = append(errs, errors.New("httpapi: the store is nil"))
	}
	if authenticate == nil {
		errs = append(errs, errors.New("httpapi: the authenticator is nil"))
	}
	opts, err := opts.withDefaults()
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return &handler{store: s, authenticate: authenticate, options: opts, path: opts.BasePath + Path}, nil
}

// MustNew is [New] for tests and for options that are constants. It panics where
// New returns an error.
func MustNew(s store.Store, authenticate Authenticator, opts Options) http.Handler {
	h, err := New(s, authenticate, opts)
	if err != nil {
		panic(err.Error())
	}
	return h
}

func (o Options) withDefaults() (Options, error) {
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
	var errs []error
	if o.MaxBodyBytes < 0 {
		errs = append(errs, errors.New("httpapi: Options.MaxBodyBytes is negative, want a number of bytes, or 0 for the default"))
	}
	if o.RetryAfter < 0 {
		errs = append(errs, errors.New("httpapi: Options.RetryAfter is negative, want a time to wait, or 0 for the default"))
	}
	if p := o.BasePath; p != "" {
		plain := (&url.URL{Path: p}).EscapedPath() == p
		if p[0] != '/' || p == "/" || path.Clean(p) != p || !plain {
			errs = append(errs, errors.New(`httpapi: Options.BasePath is not a clean path, want one like "/api", or ""`))
		}
	}
	return o, errors.Join(errs...)
}

type handler struct {
	store        store.Store
	authenticate Authenticator
	options      Options
	path         string
}

// A call is one request on its way through the handler.
type call struct {
	w     http.ResponseWriter // for http.MaxBytesReader; only ServeHTTP writes to it
	r     *http.Request
	user  tokens.UserID // set by admit
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

// ServeHTTP runs the endpoint, writes one answer, logs one line, and tells the
// observer once.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c := &call{w: w, r: r, event: Event{RequestID: requestID(r.Header), Method: knownMethod(r.Method)}}
	a, err := h.run(c)
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
}

// run finds the endpoint of the call, admits its user, and returns what to
// answer. It makes an error of a panic, but for that of a handler which is being
// aborted.
func (h *handler) run(c *call) (a answer, err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v)
		default:
			a, err = answer{}, &panicError{value: v, stack: debug.Stack()}
		}
	}()
	do, err := h.route(c)
	if err != nil {
		return answer{}, err
	}
	if err := h.admit(c); err != nil {
		return answer{}, err
	}
	return do(c)
}

func (h *handler) route(c *call) (endpoint, error) {
	// The path is compared decoded, but a slash that is encoded separates
	// nothing (RFC 3986, section 2.2).
	if u := c.r.URL; u.Path != h.path || strings.Count(u.EscapedPath(), "/") != strings.Count(h.path, "/") {
		return nil, notFound
	}
	c.event.Route = h.path
	switch c.r.Method {
	case http.MethodPost:
		return h.register, nil
	case http.MethodGet, http.MethodHead:
		return h.list, nil
	case http.MethodDelete:
		return h.remove, nil
	}
	return nil, methodNotAllowed
}

// admit sets the user of the call.
func (h *handler) admit(c *call) error {
	user, err := h.authenticate(c.r)
	var invalid *tokens.InvalidError
	switch {
	case errors.As(err, &invalid):
		// It is not about what the app sent, so it is no 422.
		return fmt.Errorf("httpapi: authenticator: %v", err)
	case err != nil:
		return err
	}
	if err := user.Validate(); err != nil {
		return fmt.Errorf("%w: %v", errForbidden, err) // the text names the rule, not the id
	}
	c.user = user
	return nil
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
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Request-Id", c.event.RequestID)
	if a.body != nil {
		contentType := "application/json"
		if a.status >= 400 {
			contentType = "application/problem+json"
		}
		header.Set("Content-Type", contentType)
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	c.w.WriteHeader(a.status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(a.body) // a client that is gone reads no answer
	}
}
