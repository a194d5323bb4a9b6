package expo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
)

// What Expo answers is read member by member: one that is missing, null or of
// another type is taken as missing, and costs nothing beside it.

// A Ticket is Expo's answer to one message: the code of an error, or an ID to
// ask for the receipt with. Both may be missing: the message was accepted, and
// there is nothing to ask for.
type Ticket struct{ ID, Error string }

// A Receipt says whether Apple or Google took the notification: Error is empty
// or a code.
type Receipt struct{ Error string }

// An answer is the body of one with status 200.
type answer struct{ data, errors json.RawMessage }

// readAnswer returns false for what is no JSON object.
func readAnswer(body []byte) (answer, bool) {
	members := object(body)
	return answer{members["data"], members["errors"]}, members != nil
}

// refused reports whether the answer lists errors. An empty list has none.
func (a answer) refused() bool {
	return len(a.errors) > 0 && string(a.errors) != "null" && string(a.errors) != "[]"
}

// tickets returns one ticket for each of n messages. With one message, Expo may
// answer with the ticket itself. What it answered beside tickets is left aside:
// the messages are on their way.
func (a answer) tickets(resp *http.Response, n int) ([]Ticket, error) {
	listed := elements(a.data)
	if n == 1 && object(a.data) != nil {
		listed = []json.RawMessage{a.data}
	}
	switch {
	case len(listed) == n && listed != nil:
	case a.refused():
		return nil, refusal(resp, a.errors)
	case listed != nil:
		return nil, ErrTickets
	default:
		return nil, ErrAnswer
	}
	tickets := make([]Ticket, n)
	for i, ticket := range listed {
		members := object(ticket)
		if members == nil {
			tickets[i].Error = NoTicket
			continue
		}
		if tickets[i].Error = failure(members); tickets[i].Error == "" {
			tickets[i].ID = safeID(text(members["id"]))
		}
	}
	return tickets, nil
}

// receipts returns the receipts that there are for the ids.
func (a answer) receipts(resp *http.Response, ids []string) (map[string]Receipt, error) {
	byID := object(a.data)
	switch none := elements(a.data); {
	case byID != nil || none != nil && len(none) == 0: // some languages write an empty map as an array
	case a.refused():
		return nil, refusal(resp, a.errors)
	default:
		return nil, ErrAnswer
	}
	receipts := make(map[string]Receipt, len(byID))
	for _, id := range ids {
		if receipt, some := byID[id]; some && string(receipt) != "null" {
			receipts[id] = Receipt{Error: failure(object(receipt))}
		}
	}
	return receipts, nil
}

// failure returns the code of a ticket or a receipt, and "" for one that is ok.
func failure(members map[string]json.RawMessage) string {
	if text(members["status"]) == "ok" {
		return ""
	}
	return safeCode(text(object(members["details"])["error"]))
}

// id is what a ticket's id looks like: one that could not be asked for would
// have the request for the others refused.
var id = regexp.MustCompile(`^[!-~]{1,128}$`)

func safeID(s string) string {
	if id.MatchString(s) {
		return s
	}
	return ""
}

// object returns the members of a JSON object, and nil for anything else.
func object(value json.RawMessage) (members map[string]json.RawMessage) {
	if json.Unmarshal(value, &members) != nil {
		return nil
	}
	return members
}

// elements returns those of a JSON array, and nil for anything else.
func elements(value json.RawMessage) (all []json.RawMessage) {
	if !bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) || json.Unmarshal(value, &all) != nil {
		return nil
	}
	return all
}

// text returns a JSON string, and "" for anything else.
func text(value json.RawMessage) (s string) {
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
