// Package fakeexpo is a fake of Expo's push service for tests and demonstrations. It
// accepts and rejects the same requests as Expo. It has phones, so that a test can
// check which user's phone received a message.
//
// Source of the rules: https://docs.expo.dev/push-notifications/sending-notifications/.
// Where that page is unclear, fakeexpo is strict: it limits the rate in every
// interval of one second.
package fakeexpo

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Path is the path of the API, as on Expo's server.
const Path = "/--/api/v2/push"

// Options are optional settings. The zero value is Expo as documented.
type Options struct {
	PerSecond    int           // maximum notifications for one project in a second; 0 means 600
	ReceiptDelay time.Duration // time until a receipt exists
	AccessToken  string        // the token that requests must have; "" means none
	StrictIDs    bool          // reject requests for receipts with an id of no ticket
	// Fault returns the fault for each valid request. It is called without a lock
	// held, so it may change phones.
	Fault func(Request) Fault
}

// A Request is a valid request.
type Request struct {
	Send   bool // send; otherwise getReceipts
	Number int  // count of requests of its kind, from 1
	Size   int  // number of messages or ids
}

// A Fault is a simulated failure of a request. The zero value is no failure.
type Fault struct {
	Status     int           // reject the request with this status, if it is not 0
	Code       string        // the error code; "" means the usual one for Status
	RetryAfter time.Duration // the Retry-After header
	Location   string        // the Location header
	Body       string        // accept the request and respond with this body; with a Status, reject it with this body
	Lose       bool          // accept the request and lose the response
	Vague      bool          // omit the tokens when rejecting a mix of projects
}

// Server is an http.Handler. It is safe for concurrent use.
type Server struct {
	o Options

	mu       sync.Mutex
	requests map[bool]int
	phones   map[string]*Phone  // by token
	refused  map[string]Refusal // by project
	tickets  map[string]ticket  // by id
	lastID   int
	recent   map[string][]arrival // by project: the last second
	stats    Stats
}

// Stats are the counters of the server.
type Stats struct {
	Requests   int            // requests of any kind
	Sends      int            // requests to send
	Taken      int            // accepted notifications
	PeakSecond int            // maximum of notifications of one project in any second
	Refused    map[string]int // rejected requests, by code
	Misrouted  int            // notifications that reached a phone whose user was not their recipient
}

type arrival struct {
	at time.Time
	n  int
}

type ticket struct {
	at     time.Time
	token  string
	answer Answer // the receipt
}

// New returns a server without phones.
func New(o Options) *Server {
	if o.PerSecond == 0 {
		o.PerSecond = 600
	}
	return &Server{
		o: o, requests: map[bool]int{}, phones: map[string]*Phone{}, tickets: map[string]ticket{}, refused: map[string]Refusal{},
		recent: map[string][]arrival{}, stats: Stats{Refused: map[string]int{}},
	}
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Refused = map[string]int{}
	for code, n := range s.stats.Refused {
		stats.Refused[code] = n
	}
	return stats
}

// A refusal is an error for the whole request.
type refusal struct {
	status     int
	code, text string
	details    any
}

// ServeHTTP handles a request like Expo.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, fault, refused := s.answer(r)
	if fault.Lose {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	var body any = map[string]any{"data": data}
	if refused != nil {
		s.mu.Lock()
		s.stats.Refused[refused.code]++
		s.mu.Unlock()
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
		}
		if fault.Location != "" {
			w.Header().Set("Location", fault.Location)
		}
		w.WriteHeader(refused.status)
		e := map[string]any{"code": refused.code, "message": refused.text}
		if refused.details != nil {
			e["details"] = refused.details
		}
		body = map[string]any{"errors": []any{e}}
	}
	if fault.Body != "" {
		_, _ = io.WriteString(w, fault.Body)
		return
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) answer(r *http.Request) (data any, fault Fault, refused *refusal) {
	s.mu.Lock()
	s.stats.Requests++
	s.mu.Unlock()
	if r.Method != http.MethodPost {
		return nil, fault, &refusal{status: http.StatusNotFound, code: "NOT_FOUND"}
	}
	if s.o.AccessToken != "" && r.Header.Get("Authorization") != "Bearer "+s.o.AccessToken {
		return nil, fault, &refusal{status: http.StatusUnauthorized, code: "UNAUTHORIZED"}
	}
	body, err := read(r)
	if err != nil {
		return nil, fault, invalid(err)
	}
	switch r.URL.Path {
	case Path + "/send":
		s.mu.Lock()
		s.stats.Sends++
		s.mu.Unlock()
		return s.send(body)
	case Path + "/getReceipts":
		return s.receipts(body)
	}
	return nil, fault, &refusal{status: http.StatusNotFound, code: "NOT_FOUND"}
}

func read(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Type") != "application/json" {
		return nil, fmt.Errorf("the body must be JSON")
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	}
	return io.ReadAll(io.LimitReader(body, 4<<20))
}

func invalid(err error) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "VALIDATION_ERROR", text: err.Error()}
}

// fault returns the simulated failure of a request.
func (s *Server) fault(send bool, size int) (Fault, *refusal) {
	if s.o.Fault == nil {
		return Fault{}, nil
	}
	s.mu.Lock()
	s.requests[send]++
	number := s.requests[send]
	s.mu.Unlock()
	f := s.o.Fault(Request{Send: send, Number: number, Size: size})
	if f.Status == 0 {
		return f, nil
	}
	if f.Code == "" {
		f.Code = map[int]string{http.StatusTooManyRequests: "TOO_MANY_REQUESTS"}[f.Status]
	}
	if f.Code == "" {
		f.Code = "INTERNAL_SERVER_ERROR"
	}
	return f, &refusal{status: f.Status, code: f.Code}
}
