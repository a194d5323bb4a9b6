package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A problem is a problem document (RFC 9457) and an error. It has no type, which
// means about:blank, because Code distinguishes problems. It contains names of
// declared fields, but no values of the request.
type problem struct {
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Code      string         `json:"code"`
	Detail    string         `json:"detail"`
	Errors    []fieldProblem `json:"errors,omitempty"`
	RequestID string         `json:"requestId"`

	header map[string]string
}

// A fieldProblem is one invalid member of the body or parameter of the query.
type fieldProblem struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

var _ error = (*problem)(nil)

func newProblem(status int, code, detail string) *problem {
	return &problem{Title: title(status), Status: status, Code: code, Detail: detail}
}

// title returns the phrase of the status in RFC 9110, which RFC 9457 recommends
// with about:blank.
func title(status int) string {
	switch status { // net/http has phrases of older RFCs
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	}
	return http.StatusText(status)
}

// The problems of a malformed request.
var (
	invalidUTF8     = newProblem(400, "invalid_utf8", "The body is not valid UTF-8.")
	invalidJSON     = newProblem(400, "invalid_json", "The body is not a JSON text.")
	notAnObject     = newProblem(400, "not_an_object", "The body is not a JSON object.")
	trailingData    = newProblem(400, "trailing_data", "The body has data after the JSON object.")
	unknownMember   = newProblem(400, "unknown_member", "The object has a member other than deviceId, expoPushToken, platform and projectId. Names are case-sensitive.")
	duplicateMember = newProblem(400, "duplicate_member", "The object has a member twice. Send each member at most once.")
	wrongType       = newProblem(400, "wrong_type", "A member of the object is not a string. Send a string, or leave out an optional member.")
	nestedValue     = newProblem(400, "nested_value", "A member of the object is an array or an object. Send a string.")
	loneSurrogate   = newProblem(400, "lone_surrogate", "A string has an escaped surrogate without its pair.")
	incompleteBody  = newProblem(400, "incomplete_body", "The body ended early. Send the request again.")
	invalidQuery    = newProblem(400, "invalid_query", "The query is malformed. It has an invalid percent-encoding or an unencoded semicolon.")
)

// The other problems.
var (
	unauthenticated = newProblem(401, "unauthenticated", "The request has no valid credential.")
	forbidden       = newProblem(403, "forbidden", "The authenticated user cannot have registrations.")
	notFound        = newProblem(404, "not_found", "There is nothing at this path.")

	methodNotAllowed = newProblem(405, "method_not_allowed", "The path does not support this method. The Allow header lists the supported ones.").
				with("Allow", "DELETE, GET, HEAD, POST")
	contentTooLarge      = newProblem(413, "content_too_large", "The body is larger than any valid one.")
	unsupportedMediaType = newProblem(415, "unsupported_media_type", "The Content-Type is not application/json in UTF-8.").
				with("Accept", "application/json")
	unsupportedContentCoding = newProblem(415, "unsupported_content_coding", "The body has a Content-Encoding. Send it without one.").
					with("Accept-Encoding", "identity")

	invalidFields = newProblem(422, "invalid_fields", "Some values are invalid. errors lists each field and its valid values.")
	internalError = newProblem(500, "internal_error", "The request failed. It is not known whether it had an effect.")
	tryAgain      = newProblem(503, "try_again", "The service is temporarily unavailable. The request may have had an effect. It is safe to repeat it.")
)

// Error returns a text for the log. The response has the document.
func (p *problem) Error() string {
	if len(p.Errors) == 0 {
		return "httpapi: " + p.Code
	}
	return "httpapi: " + p.Code + " at " + p.Errors[0].Field
}

// with returns p with a header field for the response.
func (p *problem) with(name, value string) *problem {
	q := *p
	q.header = map[string]string{name: value}
	return &q
}

// at returns p with one declared field of the request.
func (p *problem) at(field string) *problem {
	q := *p
	q.Errors = []fieldProblem{{Field: field, Code: p.Code, Detail: p.Detail}}
	return &q
}

func (p *problem) answer(requestID string) answer {
	q := *p
	q.RequestID = requestID
	body, err := json.Marshal(&q)
	if err != nil {
		panic(err) // a struct of strings
	}
	return answer{status: q.Status, body: body}
}

// diagnose returns the problem and the outcome for an error. The text of err is only
// logged.
func diagnose(ctx context.Context, err error) (*problem, store.Outcome) {
	var (
		p       *problem
		invalid *tokens.InvalidError
	)
	switch {
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return tryAgain, store.Canceled // during a shutdown the client still reads the response
	case errors.As(err, &p):
		return p, store.Invalid
	case errors.Is(err, ErrUnauthenticated):
		return unauthenticated, store.Invalid
	case errors.Is(err, errForbidden):
		return forbidden, store.Invalid
	case errors.Is(err, store.ErrTryAgain), errors.Is(err, context.DeadlineExceeded):
		return tryAgain, store.TryAgain
	case errors.As(err, &invalid):
		return describe(invalid), store.Invalid
	}
	if errors.Is(err, store.ErrMisconfigured) {
		return internalError, store.Misconfigured
	}
	return internalError, store.Failed
}

// describe returns the problem with one entry for each field that breaks a rule.
func describe(invalid *tokens.InvalidError) *problem {
	p := *invalidFields
	for _, f := range invalid.Fields {
		p.Errors = append(p.Errors, fieldProblem{Field: f.Field, Code: string(f.Code), Detail: rule(f)})
	}
	return &p
}

// rule returns the rule that the field breaks and the valid values. It contains no
// values of the request.
func rule(f tokens.FieldError) string {
	text := cmp.Or(rules[f.Code], "It is not allowed.") // a rule of another implementation of store.Store
	if form, ok := forms[f.Field]; ok {
		text += " " + form
	}
	return text
}

var rules = map[tokens.Code]string{
	tokens.CodeRequired:         "It is missing or empty.",
	tokens.CodeTooLong:          "It is too long.",
	tokens.CodeInvalidUTF8:      "It is not valid UTF-8.",
	tokens.CodeControlCharacter: "It has a control character.",
	tokens.CodeMalformed:        "It has the wrong format.",
	tokens.CodeUnknown:          "It is not one of the allowed values.",
	repeated:                    "It appears more than once.",
}

// forms has the valid values of each field.
var forms = map[string]string{
	tokens.FieldDeviceID: fmt.Sprintf("Use 1 to %d characters, none of them a control character.", tokens.MaxDeviceIDLen),
	tokens.FieldToken: fmt.Sprintf("Use the token that Expo returned, unchanged, such as ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx], of at most %d bytes.",
		tokens.MaxTokenBytes),
	tokens.FieldPlatform: "Use ios or android.",
	tokens.FieldProjectID: fmt.Sprintf("Use at most %d characters, none of them a control character, such as @owner/slug, or leave it out.",
		tokens.MaxProjectIDLen),
	fieldPermanent: "Use true or false, or leave it out.",
}
