package fakeexpo

import (
	"bytes"
	"cmp"
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

// A notification is a message for one phone.
type notification struct {
	token   string
	message message
}

// oneOrMany decodes a value, or an array of values.
func oneOrMany[T any](text []byte) (all []T, err error) {
	var one T
	if json.Unmarshal(text, &one) == nil {
		return []T{one}, nil
	}
	return all, json.Unmarshal(text, &all)
}

func parse(body []byte) (all []notification, err error) {
	messages, err := oneOrMany[message](body)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		to, err := oneOrMany[string](m["to"])
		if err != nil || len(to) == 0 {
			return nil, errors.New(`"to" is required`)
		}
		delete(m, "to")
		for name, value := range m {
			if is, known := kinds[name]; !known || !is.MatchString(string(value)) {
				return nil, fmt.Errorf("%q is unknown or has an invalid value", name)
			}
		}
		for _, token := range to {
			if _, err := tokens.ParseToken(token); err != nil {
				return nil, errors.New(`"to" is not an Expo push token`)
			}
			all = append(all, notification{token, m})
		}
	}
	return all, nil
}

func (s *Server) send(body []byte) (data any, fault Fault, refused *refusal) {
	all, err := parse(body)
	if err != nil {
		return nil, fault, invalid(err.Error())
	}
	if len(all) > 100 {
		return nil, fault, refuse(http.StatusBadRequest, "PUSH_TOO_MANY_NOTIFICATIONS")
	}
	fault, refused = s.fault(true)
	if refused != nil {
		return nil, fault, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	projects := map[string][]string{}
	for _, n := range all {
		if p := s.phones[n.token]; p != nil {
			if r := p.Refused; r.Status != 0 {
				return nil, fault, &refusal{Refusal: r}
			}
			projects[p.Project] = append(projects[p.Project], n.token)
		}
	}
	if len(projects) > 1 {
		mixed := refuse(http.StatusBadRequest, "PUSH_TOO_MANY_EXPERIENCE_IDS")
		if !fault.Vague {
			mixed.details = projects
		}
		return nil, fault, mixed
	}
	for project := range projects {
		if r := s.refused[project]; r.Status != 0 {
			return nil, fault, &refusal{Refusal: r}
		}
		if !s.admit(project, len(all), time.Now()) {
			return nil, fault, refuse(http.StatusTooManyRequests, "TOO_MANY_REQUESTS")
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
		return fmt.Errorf("fakeexpo: rejected with %d %s", refused.Status, refused.Code)
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
	failure := p.Ticket
	inTicket := p.Ticket.is()
	if !inTicket {
		failure = p.Receipt
		if !p.Receipt.is() {
			failure = Answer{}
		}
		if n.message.size() > 4096 {
			failure = Answer{Code: "MessageTooBig"}
		}
	}
	if failure.Code == "" {
		s.receive(p, n.message)
	}
	if inTicket {
		return failure.json(n.token)
	}
	s.lastID++
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", s.lastID>>16, s.lastID)
	s.tickets[id] = ticket{at: time.Now(), token: n.token, answer: failure}
	return map[string]string{"status": "ok", "id": id}
}

// lifetime is how long Expo keeps receipts.
const lifetime = 24 * time.Hour

func (s *Server) receipts(body []byte) (data any, fault Fault, refused *refusal) {
	var request struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fault, invalid(err.Error())
	}
	if len(request.IDs) > 1000 {
		return nil, fault, refuse(http.StatusBadRequest, "PUSH_TOO_MANY_RECEIPTS")
	}
	fault, refused = s.fault(false)
	if refused != nil {
		return nil, fault, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipts := map[string]any{}
	for _, id := range request.IDs {
		t, known := s.tickets[id]
		if !known && fault.StrictIDs {
			return nil, fault, invalid(`"ids" has an invalid id`)
		}
		if p := s.phones[t.token]; p != nil {
			if r := cmp.Or(s.refused[p.Project], p.RefusedLookup); r.Status != 0 {
				return nil, fault, &refusal{Refusal: r}
			}
		}
		if age := time.Since(t.at); !known || age < s.o.ReceiptDelay || age > lifetime {
			continue
		}
		receipts[id] = t.answer.json(t.token)
	}
	return receipts, fault, nil
}
