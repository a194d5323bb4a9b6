// Package fakeexpo stands in for Expo's push service in tests and demonstrations.
// It takes what Expo takes, refuses what Expo refuses, and has phones, so that a
// test sees whose message reached whom.
//
// The rules are those of https://docs.expo.dev/push-notifications/sending-notifications/.
// Where that page does not say, this is strict: the rate is counted over every
// second, wherever it begins.
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

// Path is where the server has its API, as Expo does.
const Path = "/--/api/v2/push"

// Options are what a test may set. The zero value is Expo as documented.
type Options struct {
	PerSecond    int           // notifications for one project; 0 means 600
	ReceiptDelay time.Duration // until a receipt is there
	AccessToken  string        // if requests must have one
	StrictIDs    bool          // refuse requests for receipts that have an id of no ticket
	// Fault is asked about each request that would be taken, without a lock
	// held, so that it may hand phones over. It says what goes wrong.
	Fault func(Request) Fault
}

// A Request is one that would be taken.
type Request struct {
	Send   bool // or else getReceipts
	Number int  // of its kind, from 1
	Size   int  // messages, or ids
}

// A Fault is what goes wrong with a request. The zero value is nothing.
type Fault struct {
	Status     int           // refuse it with this, if it is not 0
	Code       string        // and with this, or what goes with the status
	RetryAfter time.Duration // and say when to come back
	Location   string        // and where to go
	Body       string        // take it, and answer this; beside a Status, refuse it with this
	Lose       bool          // take it, and lose the answer
	Vague      bool          // name no tokens when refusing a mix of projects
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

// Stats is what the server has seen.
type Stats struct {
	Requests   int            // of any kind
	Sends      int            // requests to send
	Taken      int            // notifications
	PeakSecond int            // the most of one project in any second
	Refused    map[string]int // requests, by code
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

// Stats returns what the server has seen so far.
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

// A refusal is an error of the whole request.
type refusal struct {
	status     int
	code, text string
	details    any
}

// ServeHTTP answers a request as Expo does.
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

// fault asks the test what goes wrong with a request.
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
