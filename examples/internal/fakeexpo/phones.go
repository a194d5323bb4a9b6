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

// json returns the ticket or receipt.
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

// A Refusal is an error for a whole request. The zero value means no error.
type Refusal struct {
	Status int    // of HTTP
	Code   string // Expo's
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
