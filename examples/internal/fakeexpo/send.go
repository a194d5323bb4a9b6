package fakeexpo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// A message has the members of a client's message as sent, except "to".
type message map[string]json.RawMessage

// kinds has the allowed members of a message, with the beginnings of their values.
var kinds = map[string]*regexp.Regexp{
	"title": aString, "subtitle": aString, "body": aString, "channelId": aString, "categoryId": aString,
	"data": anObject, "richContent": anObject, "ttl": aNumber, "badge": aNumber,
	"sound":             regexp.MustCompile(`^("|null$)`),
	"priority":          regexp.MustCompile(`^"(default|normal|high)"$`),
	"interruptionLevel": regexp.MustCompile(`^"(active|critical|passive|time-sensitive)"$`),
	"mutableContent":    regexp.MustCompile(`^(true|false)$`),
}

var (
	aString  = regexp.MustCompile(`^"`)
	anObject = regexp.MustCompile(`^\{`)
	aNumber  = regexp.MustCompile(`^[0-9]+$`)
)

// size returns the size of the payload, independent of the client's escapes.
func (m message) size() int {
	text, _ := json.Marshal(m)
	var plain any
	_ = json.Unmarshal(text, &plain)
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(plain)
	return payload.Len() - 1
}

// recipients is one token or an array of tokens.
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
		var to recipients
		if json.Unmarshal(m["to"], &to) != nil || len(to) == 0 {
			return nil, errors.New(`"to" is required`)
		}
		delete(m, "to")
		for name, value := range m {
			if is, known := kinds[name]; !known || !is.MatchString(string(value)) {
				return nil, fmt.Errorf("%q is not allowed, or not so", name)
			}
		}
		for _, token := range to {
			if _, err := tokens.ParseToken(token); err != nil {
				return nil, errors.New(`"to" is not an Expo push token`)
			}
			all = append(all, notification{token: token, message: m})
		}
	}
	return all, nil
}

func (s *Server) send(body []byte) (data any, fault Fault, refused *refusal) {
	all, err := parse(body)
	if err != nil {
		return nil, fault, invalid(err)
	}
	if len(all) > 100 {
		return nil, fault, &refusal{status: http.StatusBadRequest, code: "PUSH_TOO_MANY_NOTIFICATIONS"}
	}
	fault, refused = s.fault(true, len(all))
	if refused != nil {
		return nil, fault, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	projects := map[string][]string{}
	for _, n := range all {
		if p := s.phones[n.token]; p != nil {
			if r := p.Refused; r.Status != 0 {
				return nil, fault, &refusal{status: r.Status, code: r.Code}
			}
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
		return nil, fault, mixed
	}
	for project := range projects {
		if r := s.refused[project]; r.Status != 0 {
			return nil, fault, &refusal{status: r.Status, code: r.Code}
		}
		if !s.admit(project, len(all), time.Now()) {
			return nil, fault, &refusal{status: http.StatusTooManyRequests, code: "TOO_MANY_REQUESTS"}
		}
	}
	tickets := make([]any, len(all))
	for i, n := range all {
		tickets[i] = s.deliver(n)
	}
	s.stats.Taken += len(all)
	return tickets, fault, nil
}

// Push sends a message to each of the tokens, like a client's request.
func (s *Server) Push(to []string, title, recipient string) error {
	if len(to) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"to": to, "title": title, "data": map[string]string{"recipient": recipient}})
	if err != nil {
		return err
	}
	if _, _, refused := s.send(body); refused != nil {
		return fmt.Errorf("fakeexpo: rejected with %d %s", refused.status, refused.code)
	}
	return nil
}

// admit counts n notifications, unless they would exceed the rate of the last second.
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

// deliver accepts one notification and returns its ticket.
func (s *Server) deliver(n notification) any {
	p := s.phones[n.token]
	if p == nil {
		return Gone.json(n.token)
	}
	if answer := p.Ticket; p.Ticket.is() {
		if answer.JSON != "" {
			s.receive(p, n.message)
		}
		return answer.json(n.token)
	}
	s.lastID++
	t := ticket{at: time.Now(), token: n.token}
	switch receipt := p.Receipt; {
	case n.message.size() > 4096:
		t.answer = Answer{Code: "MessageTooBig"}
	case p.Receipt.is():
		if t.answer = receipt; receipt.JSON != "" {
			s.receive(p, n.message)
		}
	default:
		s.receive(p, n.message)
	}
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", s.lastID>>16, s.lastID)
	s.tickets[id] = t
	return map[string]string{"status": "ok", "id": id}
}

// lifetime is how long Expo keeps receipts.
const lifetime = 24 * time.Hour

func (s *Server) receipts(body []byte) (data any, fault Fault, refused *refusal) {
	var request struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fault, invalid(err)
	}
	if len(request.IDs) > 1000 {
		return nil, fault, &refusal{status: http.StatusBadRequest, code: "PUSH_TOO_MANY_RECEIPTS"}
	}
	fault, refused = s.fault(false, len(request.IDs))
	if refused != nil {
		return nil, fault, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipts := map[string]any{}
	for _, id := range request.IDs {
		t, known := s.tickets[id]
		if !known && s.o.StrictIDs {
			return nil, fault, invalid(errors.New("\"ids\" has an invalid id"))
		}
		if r := s.refused[s.projectOf(t.token)]; r.Status != 0 {
			return nil, fault, &refusal{status: r.Status, code: r.Code}
		}
		if p := s.phones[t.token]; p != nil && p.RefusedLookup.Status != 0 {
			return nil, fault, &refusal{status: p.RefusedLookup.Status, code: p.RefusedLookup.Code}
		}
		if age := time.Since(t.at); !known || age < s.o.ReceiptDelay || age > lifetime {
			continue
		}
		if t.answer != (Answer{}) {
			receipts[id] = t.answer.json(t.token)
			continue
		}
		receipts[id] = map[string]string{"status": "ok"}
	}
	return receipts, fault, nil
}

// projectOf returns a phone's project.
func (s *Server) projectOf(token string) string {
	if p := s.phones[token]; p != nil {
		return p.Project
	}
	return ""
}
