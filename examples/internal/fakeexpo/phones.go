package fakeexpo

import "encoding/json"

// A Phone is what has a token. Whoever is logged in on it sees what arrives.
type Phone struct {
	Project  string // Expo's name for it, such as @acme/app
	User     string // logged in now; empty if nobody is
	Answer   Answer
	Received int // notifications
}

// An Answer is what Expo says of a phone.
type Answer int

// The answers. SlowDown is said once.
const (
	Fine       Answer = iota
	GoneAtOnce        // DeviceNotRegistered in the ticket
	GoneLater         // DeviceNotRegistered in the receipt
	SlowDown          // MessageRateExceeded in the ticket
)

// Set puts a phone behind a token.
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

// Received returns how many notifications the phone got.
func (s *Server) Received(token string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phones[token].Received
}

// receive is the phone's side. The app would drop what is not for its user; a
// sender should not count on it, and so it is counted.
func (s *Server) receive(p *Phone, m message) {
	p.Received++
	var data struct {
		Recipient string `json:"recipient"`
	}
	if json.Unmarshal(m.Data, &data) != nil || data.Recipient == "" || data.Recipient != p.User {
		s.stats.Misrouted++
	}
}
