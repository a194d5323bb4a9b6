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

// An Action is what a sender does about an error.
type Action int

// The actions. Each error calls for one of them.
const (
	// Fail: the message will never be taken as it is. Count it by its code.
	Fail Action = iota
	// Invalidate: the device is gone. Tell the registry.
	Invalidate
	// RepeatSlowly: send this message again, after minutes. Others need not wait.
	RepeatSlowly
	// Repeat: make the request again after a backoff, which holds the project's
	// other requests back too.
	Repeat
	// Narrow: the request was refused for a part of it, and nothing was sent.
	// Ask again for its parts.
	Narrow
	// Stop: the address is wrong, whatever is sent there.
	Stop
)

// The codes that call for something else than [Fail] in a ticket or a receipt,
// or [Narrow] for a request.
const (
	DeviceNotRegistered = "DeviceNotRegistered"
	MessageRateExceeded = "MessageRateExceeded"
	tooManyRequests     = "TOO_MANY_REQUESTS"
	internalError       = "INTERNAL_SERVER_ERROR"
	mixedProjects       = "PUSH_TOO_MANY_EXPERIENCE_IDS"
)

// The codes of this client, for what Expo did not say.
const (
	// NoTicket: Expo took the request, and its answer has no ticket for the
	// message. It may arrive, and is not sent again.
	NoTicket = "NoTicket"
	// Unknown: an error without a code, or with one of another form.
	Unknown = "unknown"
)

// ActionFor is what the code in a ticket or a receipt calls for. Expo documents
// some of them for one of the two, and its servers use them in both. It documents
// no repeat but the one of [MessageRateExceeded], so that codes which are not
// known are not repeated.
func ActionFor(code string) Action {
	switch code {
	case DeviceNotRegistered:
		return Invalidate
	case MessageRateExceeded:
		return RepeatSlowly
	}
	// The message: MessageTooBig, DeveloperError. The project's credentials at
	// Apple or Google, maybe of one platform only: InvalidCredentials,
	// MismatchSenderId. Theirs or Expo's: ProviderError, ExpoError.
	return Fail
}

// ErrAnswer says that the answer is not one of Expo's: from something in between,
// or cut. The messages may be on their way.
var ErrAnswer = errors.New("the answer is not one that expo documents")

// ErrTickets says that Expo took the request and answered with another number of
// tickets, so that none can be told whose it is. The messages may be on their way.
var ErrTickets = errors.New("expo answered with another number of tickets than messages")

// An Error is a request that Expo refused as a whole. Its text has Expo's code
// only, since Expo's own texts and details name tokens.
type Error struct {
	Status     int                       // of HTTP
	Code       string                    // Expo's, or empty
	RetryAfter time.Duration             // 0 if Expo did not say
	Projects   map[string][]tokens.Token // of a request that mixed projects: whose token is whose
}

var _ error = (*Error)(nil)

// Error returns the status and the code.
func (e *Error) Error() string { return fmt.Sprintf("expo answered %d %s", e.Status, e.Code) }

// Reason is the code, or the status where there is none.
func (e *Error) Reason() string {
	if e.Code == "" {
		return fmt.Sprintf("HTTP %d", e.Status)
	}
	return e.Code
}

// Action is what the refusal calls for. But for redirects, the code counts before
// the status: Expo may answer 200 with either.
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

// RetryAfter is how long the server asked to be left alone with err, or 0.
func RetryAfter(err error) time.Duration {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.RetryAfter
	}
	return 0
}

// refusal reads an answer that refuses the request. Usually there is one error;
// of several, the first that has a code counts.
func refusal(resp *http.Response, listed json.RawMessage) *Error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	all := elements(listed)
	if all == nil {
		all = []json.RawMessage{listed} // documented as an array
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

// projects reads whose token is whose, and leaves out what is no token.
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

// code is what an error's code looks like. Anything else is not passed on: the
// texts that Expo sends beside its codes quote tokens.
var code = regexp.MustCompile(`^[A-Za-z_]{1,64}$`)

func safeCode(s string) string {
	if code.MatchString(s) {
		return s
	}
	return Unknown
}

// maxRetryAfter bounds what a server may ask for, so that a run ends.
const maxRetryAfter = time.Hour

// retryAfter reads the header (RFC 9110, section 10.2.3): seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}
