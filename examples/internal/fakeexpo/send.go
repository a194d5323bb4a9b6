package fakeexpo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// A message is what a client sends, as far as it matters here.
type message struct {
	To    recipients      `json:"to"`
	Title json.RawMessage `json:"title,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
}

// recipients are one token or an array of them.
type recipients []string

func (r *recipients) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*r = recipients{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(r))
}

// A notification is a message for one phone.
type notification struct {
	token   string
	message message
}

func parse(body []byte) ([]notification, error) {
	var messages []message
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		messages = make([]message, 1)
		if err := json.Unmarshal(body, &messages[0]); err != nil {
			return nil, err
		}
	} else if err := json.Unmarshal(body, &messages); err != nil {
		return nil, err
	}
	var all []notification
	for _, m := range messages {
		if len(m.To) == 0 {
			return nil, errors.New(`"to" is required`)
		}
		if len(m.Data) > 0 && m.Data[0] != '{' {
			return nil, errors.New(`"data" must be of type object`)
		}
		for _, to := range m.To {
			if _, err := tokens.ParseToken(to); err != nil {
				return nil, errors.New(`"to" is not an Expo push token`)
			}
			all = append(all, notification{token: to, message: m})
		}
	}
	return all, nil
}

func (s *Server) send(body []byte) (data any, lose bool, refused *refusal) {
	all, err := parse(body)
	if err != nil {
		return nil, false, invalid(err)
	}
	if len(all) > 100 {
		return nil, false, &refusal{status: http.StatusBadRequest, code: "PUSH_TOO_MANY_NOTIFICATIONS"}
	}
	fault, refused := s.fault(true)
	if refused != nil {
		return nil, false, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	projects := map[string][]string{}
	for _, n := range all {
		if p := s.phones[n.token]; p != nil {
			projects[p.Project] = append(projects[p.Project], n.token)
		}
	}
	if len(projects) > 1 {
		mixed := &refusal{
			status: http.StatusBadRequest, code: "PUSH_TOO_MANY_EXPERIENCE_IDS",
			text: "All push notification messages in the same request must be for the same project",
		}
		if !fault.Vague {
			mixed.details = projects
		}
		return nil, false, mixed
	}
	for project := range projects {
		if !s.admit(project, len(all), time.Now()) {
			return nil, false, &refusal{status: http.StatusTooManyRequests, code: "TOO_MANY_REQUESTS"}
		}
	}
	tickets := make([]any, len(all))
	for i, n := range all {
		tickets[i] = s.deliver(n)
	}
	s.stats.Taken += len(all)
	return tickets, fault.Lose, nil
}

// admit counts n notifications, unless they are too many for the last second.
func (s *Server) admit(project string, n int, now time.Time) bool {
	recent := s.recent[project]
	for len(recent) > 0 && now.Sub(recent[0].at) >= time.Second {
		recent = recent[1:]
	}
	sum := n
	for _, a := range recent {
		sum += a.n
	}
	if sum > s.o.PerSecond {
		s.recent[project] = recent
		return false
	}
	s.stats.PeakSecond = max(s.stats.PeakSecond, sum)
	s.recent[project] = append(recent, arrival{at: now, n: n})
	return true
}

// deliver takes one notification and returns its ticket.
func (s *Server) deliver(n notification) any {
	p := s.phones[n.token]
	if p == nil || p.Answer == GoneAtOnce {
		return map[string]any{
			"status":  "error",
			"message": fmt.Sprintf("%q is not a registered push notification recipient", n.token),
			"details": map[string]string{"error": "DeviceNotRegistered", "expoPushToken": n.token},
		}
	}
	if p.Answer == SlowDown {
		p.Answer = Fine
		return map[string]any{"status": "error", "details": map[string]string{"error": "MessageRateExceeded"}}
	}
	s.lastID++
	t := ticket{at: time.Now()}
	payload, _ := json.Marshal(message{Title: n.message.Title, Body: n.message.Body, Data: n.message.Data})
	switch {
	case len(payload) > 4096:
		t.outcome = "MessageTooBig"
	case p.Answer == GoneLater:
		t.outcome = "DeviceNotRegistered"
	default:
		s.receive(p, n.message)
	}
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", s.lastID>>16, s.lastID)
	s.tickets[id] = t
	return map[string]string{"status": "ok", "id": id}
}
