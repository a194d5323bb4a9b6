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

// DefaultMaxBodyBytes is the default of [Options].MaxBodyBytes. The largest valid
// registration is under 3 KiB, even if all characters outside ASCII are escaped.
const DefaultMaxBodyBytes = 4 << 10

// DefaultRetryAfter is the default of [Options].RetryAfter.
const DefaultRetryAfter = 5 * time.Second

// Path is the path of the API, without [Options].BasePath.
const Path = "/v1/device-tokens"

// Options are the optional arguments of [New]. The zero value works.
type Options struct {
	// Logger receives one line for each request, with the data of its [Event] and
	// the error. nil means slog.Default() at the time of New. To disable logging,
	// use slog.New(slog.DiscardHandler).
	Logger *slog.Logger

	// BasePath is the prefix of [Path] for a service below a prefix: "" or a clean
	// path such as "/api", which does not end in '/' and needs no escaping in a
	// URL.
	BasePath string

	// Challenge is the value of WWW-Authenticate in a 401 (RFC 9110, section
	// 11.6.1). "" means "Bearer".
	Challenge string

	// MaxBodyBytes is the maximum size of a request body. 0 means
	// DefaultMaxBodyBytes.
	MaxBodyBytes int64

	// RetryAfter is the Retry-After of a 503, rounded up to whole seconds. 0 means
	// DefaultRetryAfter.
	RetryAfter time.Duration

	// Observe, if not nil, is called once for each request, on its goroutine,
	// after the response is written. Use it for metrics. It must be safe for
	// concurrent use and must not panic.
	Observe func(Event)
}

// An Authenticator returns the user id of a request. User ids come from no other
// source, and there is no anonymous user. The handler calls it concurrently and
// before it reads the body. An Authenticator must not read the body.
//
// Its error decides the response:
//
//   - [ErrUnauthenticated]: 401. The credential is missing or invalid.
//   - [store.ErrTryAgain] or context.DeadlineExceeded: 503. The credential cannot
//     be verified now, for example because the keys cannot be fetched. With a 401,
//     an app would log its user out.
//   - any other error: 500.
//
// Errors are compared with [errors.Is]. Their text is logged and never sent, so it
// must not contain a credential or a user id.
//
// A user id that is not a valid [tokens.UserID] leads to 403.
type Authenticator func(*http.Request) (tokens.UserID, error)

// ErrUnauthenticated means that the credential of a request is missing or invalid.
// An [Authenticator] returns or wraps it. The response is 401.
var ErrUnauthenticated = errors.New("httpapi: not authenticated")

// errForbidden means that the authenticator returned a user id that cannot be
// stored.
var errForbidden = errors.New("httpapi: the authenticated user id cannot be stored")

// New returns a handler that serves s at [Options].BasePath + [Path], to the users
// that authenticate returns. It is safe for concurrent use if s and authenticate
// are.
//
// Any other path is 404. The handler can serve alone, or be mounted in another mux
// without stripping a prefix.
//
// The error names every invalid argument and option.
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

// MustNew is [New] for tests and for constant options. It panics if New returns an
// error.
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

// A call is the state of one request.
type call struct {
	w     http.ResponseWriter // for http.MaxBytesReader; only ServeHTTP writes to it
	r     *http.Request
	user  tokens.UserID // set by admit
	event Event
}

// An endpoint handles a call and returns the answer. It does not write it, so that
// a panic leaves no incomplete response. Its error is a *problem, or an error of the
// store or the authenticator.
type endpoint func(*call) (answer, error)

// An answer is the status and the JSON document of a response. A nil body means no
// document.
type answer struct {
	status int
	body   []byte
}

// ServeHTTP runs the endpoint, writes one response, logs one line, and calls the
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

// run finds the endpoint of the call, authenticates it, and returns the answer. It
// turns a panic into an error, except http.ErrAbortHandler.
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
	// The decoded path is compared, but an encoded slash is not a separator
	// (RFC 3986, section 2.2).
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
		// The app did not send this value, so the response is not 422.
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

// refusal returns the answer for an error, and records its outcome in the event.
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
		_, _ = c.w.Write(a.body) // fails if the client has closed the connection
	}
}
