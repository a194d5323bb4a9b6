package fakeexpo

import (
	"encoding/json"
	"fmt"
)

// A Phone has a token. The user who is logged in on it sees what arrives.
type Phone struct {
	Project  string // Expo's name for it, such as @acme/app
	User     string // logged in now; empty if no user is
	Received int    // notifications

	Ticket        Answer  // to its messages
	Receipt       Answer  // of messages whose ticket is ok
	Refused       Refusal // of each request that has a message for it
	RefusedLookup Refusal // of each request for a receipt of it
}

// An Answer is what Expo says of a message. The zero value is that all is well.
type Answer struct {
	Code  string // of an error
	JSON  string // the whole ticket or receipt, instead
	Times int    // how often it is given before all is well; 0 is always
}

// Gone is Expo's answer for a phone that it cannot reach any more.
var Gone = Answer{Code: "DeviceNotRegistered"}

// is counts the answer down, and returns false if all is well.
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

// json is the ticket or receipt.
func (a Answer) json(token string) any {
	if a.JSON != "" {
		return json.RawMessage(a.JSON)
	}
	return map[string]any{
		"status":  "error",
		"message": fmt.Sprintf("%q: %s", token, a.Code),
		"details": map[string]string{"error": a.Code, "expoPushToken": token},
	}
}

// A Refusal is an error of a whole request. The zero value is none.
type Refusal struct {
	Status int    // of HTTP
	Code   string // Expo's
}

// Refuse has each request refused that has a message for a phone of the project, or
// asks for a receipt of one.
func (s *Server) Refuse(project string, r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[project] = r
}

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
	if json.Unmarshal(m["data"], &data) != nil || data.Recipient == "" || data.Recipient != p.User {
		s.stats.Misrouted++
	}
}
