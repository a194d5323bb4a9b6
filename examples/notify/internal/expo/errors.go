package expo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Action tells a sender how to handle an error.
type Action int

// The actions.
const (
	// Fail: Expo will not accept this message. Count it as failed, by its code.
	Fail Action = iota
	// Invalidate: the device is gone. Invalidate its registration.
	Invalidate
	// RepeatSlowly: send this message again after minutes.
	RepeatSlowly
	// Repeat: retry the request with backoff, which delays the project's other
	// requests too.
	Repeat
	// Narrow: Expo refused the request because of a part of it, and sent nothing.
	// Split the request and retry the parts.
	Narrow
	// Stop: the address is wrong for every request.
	Stop
)

// The codes with another action than [Fail] in a ticket or a receipt, or than
// [Narrow] for a request.
const (
	DeviceNotRegistered = "DeviceNotRegistered"
	MessageRateExceeded = "MessageRateExceeded"
	tooManyRequests     = "TOO_MANY_REQUESTS"
	internalError       = "INTERNAL_SERVER_ERROR"
	mixedProjects       = "PUSH_TOO_MANY_EXPERIENCE_IDS"
)

// The client's own codes, for answers without one of Expo's.
const (
	// NoTicket: Expo accepted the request, but its answer has no ticket for the
	// message. The message may arrive, so it is not sent again.
	NoTicket = "NoTicket"
	// Unknown: an error without a code, or with a code of another form.
	Unknown = "unknown"
)

// ActionFor returns the action for a code in a ticket or a receipt. Expo documents a retry
// for [MessageRateExceeded] only, so unknown codes are not retried.
func ActionFor(code string) Action {
	switch code {
	case DeviceNotRegistered:
		return Invalidate
	case MessageRateExceeded:
		return RepeatSlowly
	}
	return Fail
}

// ErrAnswer means that the answer does not have a form that Expo documents. It may come
// from a proxy, or be cut off. Expo may have accepted the messages.
var ErrAnswer = errors.New("the answer is not one that expo documents")

// ErrTickets means that Expo accepted the request but answered with another number of
// tickets, so they cannot be assigned to messages. The messages may arrive.
var ErrTickets = errors.New("expo answered with another number of tickets than messages")

// An Error is a request that Expo refused as a whole. Its text has only Expo's code,
// because Expo's own texts and details contain tokens.
type Error struct {
	Status     int                       // of HTTP
	Code       string                    // Expo's, or empty
	RetryAfter time.Duration             // 0 if the answer has none
	Projects   map[string][]tokens.Token // the tokens by project, if the request mixed projects
}

var _ error = (*Error)(nil)

// Error returns the status and the code.
func (e *Error) Error() string { return fmt.Sprintf("expo answered %d %s", e.Status, e.Code) }

// Reason returns the code, or the status if there is no code.
func (e *Error) Reason() string {
	if e.Code == "" {
		return fmt.Sprintf("HTTP %d", e.Status)
	}
	return e.Code
}

// Action returns the action for the refusal. Except for redirects, it depends on the
// code first and on the status second, because Expo also answers errors with 200.
func (e *Error) Action() Action {
	if e.Status >= 300 && e.Status < 400 {
		return Stop
	}
	switch e.Code {
	case tooManyRequests, internalError:
		return Repeat
	case mixedProjects, "UNAUTHORIZED", "VALIDATION_ERROR", "PUSH_TOO_MANY_NOTIFICATIONS", "PUSH_TOO_MANY_RECEIPTS":
		return Narrow
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly:
		return Repeat
	}
	if e.Status >= 500 {
		return Repeat
	}
	return Narrow
}

// RetryAfter returns the delay that the server asked for with err, or 0.
func RetryAfter(err error) time.Duration {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.RetryAfter
	}
	return 0
}

// refusal reads an answer that refuses the request. Of several errors, it takes the
// first one with a code.
func refusal(resp *http.Response, listed json.RawMessage) *Error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	all := elements(listed)
	if all == nil {
		all = []json.RawMessage{listed} // Expo documents an array
	}
	for _, one := range all {
		if members := object(one); members != nil {
			e.Code, e.Projects = safeCode(text(members["code"])), projects(members["details"])
		}
		if e.Code != "" && e.Code != Unknown {
			break
		}
	}
	if e.Code == "" && e.Status == http.StatusOK {
		e.Code = Unknown
	}
	return e
}

// projects reads the tokens of each project and skips values that are not tokens.
func projects(details json.RawMessage) map[string][]tokens.Token {
	owned := map[string][]tokens.Token{}
	for project, listed := range object(details) {
		for _, spelled := range elements(listed) {
			if token, err := tokens.ParseToken(text(spelled)); err == nil {
				owned[project] = append(owned[project], token)
			}
		}
	}
	return owned
}

// code is the form of an error's code. Other texts are dropped, because Expo's error
// messages quote tokens.
var code = regexp.MustCompile(`^[A-Za-z_]{1,64}$`)

func safeCode(s string) string {
	if code.MatchString(s) {
		return s
	}
	return Unknown
}

// maxRetryAfter limits the delay that a server may ask for, so that a run ends.
const maxRetryAfter = time.Hour

// retryAfter parses the header (RFC 9110, section 10.2.3), which is seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}
