package expo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
)

// Answers are read member by member. A member that is null or of another type counts
// as missing and does not affect the others.

// A Ticket is Expo's answer to one message: the code of an error, or the ID of the
// receipt. Both are empty if Expo accepted the message without an id.
type Ticket struct{ ID, Error string }

// A Receipt is the result of handing a notification to Apple or Google: Error is the
// code, or empty if they accepted it.
type Receipt struct{ Error string }

// An answer is the body of a response with status 200.
type answer struct{ data, errors json.RawMessage }

// readAnswer returns false if the body is not a JSON object.
func readAnswer(body []byte) (answer, bool) {
	members := object(body)
	return answer{members["data"], members["errors"]}, members != nil
}

// refused reports whether the answer lists errors. An empty list has none.
func (a answer) refused() bool {
	return len(a.errors) > 0 && string(a.errors) != "null" && string(a.errors) != "[]"
}

// tickets returns one ticket for each of n messages. To a single message, Expo may
// answer with the ticket itself instead of an array. If the answer has the tickets,
// its errors are ignored, because Expo accepted the messages.
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

func (a answer) receipts(resp *http.Response, ids []string) (map[string]Receipt, error) {
	byID := object(a.data)
	switch none := elements(a.data); {
	case byID != nil || none != nil && len(none) == 0: // some languages encode an empty map as an array
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

// failure returns the error code of a ticket or a receipt, or "" if its status is ok.
func failure(members map[string]json.RawMessage) string {
	if text(members["status"]) == "ok" {
		return ""
	}
	return safeCode(text(object(members["details"])["error"]))
}

// id is the form of a ticket's id. Expo would refuse the whole request for receipts
// because of an id of another form.
var id = regexp.MustCompile(`^[!-~]{1,128}$`)

func safeID(s string) string {
	if id.MatchString(s) {
		return s
	}
	return ""
}

// object returns the members of a JSON object, or nil for any other value.
func object(value json.RawMessage) (members map[string]json.RawMessage) {
	if json.Unmarshal(value, &members) != nil {
		return nil
	}
	return members
}

// elements returns the elements of a JSON array, or nil for any other value.
func elements(value json.RawMessage) (all []json.RawMessage) {
	if !bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) || json.Unmarshal(value, &all) != nil {
		return nil
	}
	return all
}

// text returns a JSON string, or "" for any other value.
func text(value json.RawMessage) (s string) {
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
