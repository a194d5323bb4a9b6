package httpapi

import (
	"net/http"
	"time"
)

// An Event is what became of one request, for metrics and traces. It names
// neither a user nor a device nor a token, and all its texts but the request id
// come from small fixed sets, so that they can be labels of a metric.
type Event struct {
	// RequestID is also in the answer's X-Request-Id and in the log.
	RequestID string
	// Route is the path that was matched, BasePath included; "" if none was.
	Route string
	// Method is the request's if it is one of RFC 9110 or PATCH, else
	// "_OTHER", as OpenTelemetry's http.request.method has it.
	Method string
	// Status is the one that was written. If Outcome is Canceled, nobody may
	// have read it.
	Status int
	// Outcome says what happened.
	Outcome Outcome
	// Problem is the code member of the problem that was answered; "" if none.
	Problem string

	// Moved says that another user's active registration lost its token to the
	// one who registered.
	Moved bool
	// Evicted is how many registrations went for the device limit.
	Evicted int

	// Duration is from the request's arrival in the handler until its answer
	// was written; it includes the time that the body took to come in.
	Duration time.Duration
	// StoreDuration is how much of it the call of the store took; 0 if there
	// was none.
	StoreDuration time.Duration
}

// An Outcome says what became of a request. The zero value is not an outcome.
type Outcome string

// The outcomes of a request. The first six are its success.
const (
	Created     Outcome = "created"     // registered: store.Created
	Refreshed   Outcome = "refreshed"   // registered: store.Refreshed
	Replaced    Outcome = "replaced"    // registered: store.Replaced
	Listed      Outcome = "listed"      // listed
	Deactivated Outcome = "deactivated" // logged out, or nothing was there
	Erased      Outcome = "erased"      // erased, or nothing was there

	Rejected Outcome = "rejected"  // the request or its sender was refused: 4xx
	TryAgain Outcome = "try_again" // contention, throttling or a deadline: 503
	Canceled Outcome = "canceled"  // the request's context was canceled: its client has gone
	Failed   Outcome = "failed"    // 500
)

// knownMethod bounds what a client can put into metrics and logs.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}
