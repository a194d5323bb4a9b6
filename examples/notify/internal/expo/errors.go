package expo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// ErrAnswer says that Expo took the request and answered something that this
// client does not understand. The messages may be on their way: repeating the
// request may send them again.
var ErrAnswer = errors.New("expo's answer has another form than documented")

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
func (e *Error) Error() string {
	return fmt.Sprintf("expo answered %d %s", e.Status, e.Code)
}

// Mixed reports whether the messages were for more than one project. None was
// sent.
func (e *Error) Mixed() bool { return e.Code == "PUSH_TOO_MANY_EXPERIENCE_IDS" }

// Temporary reports whether err may pass: no or half an answer, too many
// requests, or a fault of Expo's. Except for 429, the messages may have been
// sent all the same.
func Temporary(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Status == http.StatusTooManyRequests || refused.Status >= 500
	}
	return !errors.Is(err, ErrAnswer)
}

// refusal reads an answer that is not 200.
func refusal(resp *http.Response, body []byte) error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	var answer struct {
		Errors []struct {
			Code    string          `json:"code"`
			Details json.RawMessage `json:"details"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Errors) == 0 {
		return e // from something in between, such as a load balancer
	}
	e.Code = safeCode(answer.Errors[0].Code)
	var details map[string][]string
	if e.Mixed() && json.Unmarshal(answer.Errors[0].Details, &details) == nil {
		e.Projects = map[string][]tokens.Token{}
		for project, spelled := range details {
			for _, s := range spelled {
				if token, err := tokens.ParseToken(s); err == nil {
					e.Projects[project] = append(e.Projects[project], token)
				}
			}
		}
	}
	return e
}

// retryAfter reads the header (RFC 9110, section 10.2.3): seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 16); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
