// Package fakeexpo is a fake of Expo's push service for tests and demonstrations. It
// accepts and rejects the same requests as Expo. It has phones, so that a test can
// check which user's phone received a message.
//
// Source of the rules: https://docs.expo.dev/push-notifications/sending-notifications/.
// Where that page is unclear, fakeexpo is strict: it limits the rate in every
// interval of one second.
package fakeexpo

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	// Fault returns the fault for each valid request. It is called without a lock
	// held, so it may change phones.
	Fault func(Request) Fault
}

// A Request is a valid request.
type Request struct {
	Send   bool // send; otherwise getReceipts
	Number int  // count of requests of its kind, from 1
}

// A Fault is a simulated failure of a request. The zero value is no failure.
type Fault struct {
	Status     int           // reject the request with this status, if it is not 0
	Code       string        // the error code; "" means the usual one for Status
	RetryAfter time.Duration // the Retry-After header
	Location   string        // the Location header
	Body       string        // the body of the response; without a Status, the request is accepted
	Lose       bool          // accept the request and lose the response
	Vague      bool          // omit the tokens when rejecting a mix of projects
	StrictIDs  bool          // reject a request for receipts with an id of no ticket
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

// A Phone has a token. The user who is logged in on it sees what arrives.
type Phone struct {
	Project  string // Expo's name for it, such as @acme/app
	User     string // logged in now; empty if no user is
	Received int    // notifications

	Ticket        Answer  // for its messages
	Receipt       Answer  // for messages whose ticket is ok
	Refused       Refusal // for each request with a message for it
	RefusedLookup Refusal // for each request for a receipt of it
}

// An Answer is the content of a ticket or receipt. The zero value is "ok".
type Answer struct {
	Code  string // the error code
	JSON  string // the whole ticket or receipt, instead of Code
	Times int    // how often it is returned before "ok"; 0 means always
}

// Gone is Expo's answer for a device that it cannot reach any more.
var Gone = Answer{Code: "DeviceNotRegistered"}

// is counts the answer down, and returns false if the answer is "ok".
func (a *Answer) is() bool {
	if a.Code == "" && a.JSON == "" {
		return false
	}
	switch a.Times {
	case 0:
	case 1:
		*a = Answer{}
	default:
		a.Times--
	}
	return true
}

func (a Answer) json(token string) any {
	switch {
	case a.JSON != "":
		return json.RawMessage(a.JSON)
	case a.Code == "":
		return map[string]string{"status": "ok"}
	}
	return map[string]any{
		"status":  "error",
		"message": fmt.Sprintf("%q: %s", token, a.Code),
		"details": map[string]string{"error": a.Code, "expoPushToken": token},
	}
}

// A Refusal is an error for a whole request. The zero value means no error.
type Refusal struct {
	Status int    // of HTTP
	Code   string // Expo's
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
	stats.Refused = maps.Clone(stats.Refused)
	return stats
}

// Refuse makes the server reject each request that has a message for a phone of the
// project, or asks for a receipt of such a message.
func (s *Server) Refuse(project string, r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[project] = r
}

// Set adds or replaces the phone of a token.
func (s *Server) Set(token string, p Phone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phones[token] = &p
}

// LogIn changes who is logged in on the phone.
func (s *Server) LogIn(token, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phones[token].User = user
}

// Received returns the number of notifications that the phone received.
func (s *Server) Received(token string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phones[token].Received
}

// receive delivers a message to the phone. It counts a message for another user than
// the user who is logged in, because a sender must not rely on the app to drop it.
func (s *Server) receive(p *Phone, m message) {
	p.Received++
	var data struct {
		Recipient string `json:"recipient"`
	}
	if json.Unmarshal(m["data"], &data) != nil || data.Recipient == "" || data.Recipient != p.User {
		s.stats.Misrouted++
	}
}

// A refusal is an error for the whole request.
type refusal struct {
	Refusal
	text    string
	details any
}

func refuse(status int, code string) *refusal { return &refusal{Refusal: Refusal{status, code}} }

func invalid(text string) *refusal {
	return &refusal{Refusal: Refusal{http.StatusBadRequest, "VALIDATION_ERROR"}, text: text}
}

// ServeHTTP handles a request like Expo.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, fault, refused := s.answer(r)
	if fault.Lose {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	body := map[string]any{"data": data}
	if refused != nil {
		s.mu.Lock()
		s.stats.Refused[refused.Code]++
		s.mu.Unlock()
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
		}
		if fault.Location != "" {
			w.Header().Set("Location", fault.Location)
		}
		w.WriteHeader(refused.Status)
		e := map[string]any{"code": refused.Code, "message": refused.text}
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
	isSend := r.URL.Path == Path+"/send"
	if isSend {
		s.mu.Lock()
		s.stats.Sends++
		s.mu.Unlock()
	}
	switch {
	case r.Method != http.MethodPost || !isSend && r.URL.Path != Path+"/getReceipts":
		return nil, fault, refuse(http.StatusNotFound, "NOT_FOUND")
	case s.o.AccessToken != "" && r.Header.Get("Authorization") != "Bearer "+s.o.AccessToken:
		return nil, fault, refuse(http.StatusUnauthorized, "UNAUTHORIZED")
	case r.Header.Get("Content-Type") != "application/json":
		return nil, fault, invalid("the body must be JSON")
	}
	body, err := read(r)
	switch {
	case err != nil:
		return nil, fault, invalid(err.Error())
	case isSend:
		return s.send(body)
	}
	return s.receipts(body)
}

func read(r *http.Request) ([]byte, error) {
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

func (s *Server) fault(send bool) (Fault, *refusal) {
	if s.o.Fault == nil {
		return Fault{}, nil
	}
	s.mu.Lock()
	s.requests[send]++
	number := s.requests[send]
	s.mu.Unlock()
	f := s.o.Fault(Request{Send: send, Number: number})
	if f.Status == 0 {
		return f, nil
	}
	usual := "INTERNAL_SERVER_ERROR"
	if f.Status == http.StatusTooManyRequests {
		usual = "TOO_MANY_REQUESTS"
	}
	return f, refuse(f.Status, cmp.Or(f.Code, usual))
}
