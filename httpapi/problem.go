package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A problem is the document of an error (RFC 9457), and the error itself. Its
// type is about:blank, and so left out: Code tells problems apart. Nothing in it
// comes from the request but the names of declared fields.
type problem struct {
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Code      string         `json:"code"`
	Detail    string         `json:"detail"`
	Errors    []fieldProblem `json:"errors,omitempty"`
	RequestID string         `json:"requestId"`

	header map[string]string
}

// A fieldProblem is what is wrong with one member of the body or one parameter of
// the query.
type fieldProblem struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

var _ error = (*problem)(nil)

func newProblem(status int, code, detail string) *problem {
	return &problem{Title: title(status), Status: status, Code: code, Detail: detail}
}

// title is the status's phrase, as RFC 9110 has it and about:blank wants it.
func title(status int) string {
	switch status { // net/http has the phrases of older RFCs
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	}
	return http.StatusText(status)
}

// The problems with the form of a request.
var (
	invalidUTF8     = newProblem(400, "invalid_utf8", "The body is not valid UTF-8.")
	invalidJSON     = newProblem(400, "invalid_json", "The body is not a JSON text.")
	notAnObject     = newProblem(400, "not_an_object", "The body is JSON, but not an object.")
	trailingData    = newProblem(400, "trailing_data", "Something follows the JSON object in the body.")
	unknownMember   = newProblem(400, "unknown_member", "The object has a member other than deviceId, expoPushToken, platform and projectId. Names are case-sensitive.")
	duplicateMember = newProblem(400, "duplicate_member", "The object has a member twice. Send each member once.")
	wrongType       = newProblem(400, "wrong_type", "A member of the object is not a string. Send a string, or leave out an optional member.")
	nestedValue     = newProblem(400, "nested_value", "A member of the object is an array or an object; all of them are strings.")
	loneSurrogate   = newProblem(400, "lone_surrogate", "A string has an escape that is half a character: a surrogate without its pair.")
	incompleteBody  = newProblem(400, "incomplete_body", "The body could not be read to its end.")
	invalidQuery    = newProblem(400, "invalid_query", "The query is not well-formed: a bad percent-encoding, or a semicolon that is not encoded.")
)

// The other problems.
var (
	unauthenticated = newProblem(401, "unauthenticated", "The request has no valid credential.")
	forbidden       = newProblem(403, "forbidden", "The authenticated user cannot have registrations.")
	notFound        = newProblem(404, "not_found", "There is nothing at this path.")

	methodNotAllowed = newProblem(405, "method_not_allowed", "The path does not have this method.").
				with("Allow", "DELETE, GET, HEAD, POST")
	contentTooLarge      = newProblem(413, "content_too_large", "The body is larger than any valid one.")
	unsupportedMediaType = newProblem(415, "unsupported_media_type", "The Content-Type is not application/json in UTF-8.").
				with("Accept", "application/json")
	unsupportedContentCoding = newProblem(415, "unsupported_content_coding", "The body has a Content-Encoding; it must have none.").
					with("Accept-Encoding", "identity")

	invalidFields = newProblem(422, "invalid_fields", "Some values are not valid. errors names each field and the values to use.")
	internalError = newProblem(500, "internal_error", "The request failed. It is not known whether it had an effect.")
	tryAgain      = newProblem(503, "try_again", "The request could not be served now. It may have had an effect or not; repeating it is safe.")
)

// Error is for the log; the answer has the document.
func (p *problem) Error() string {
	if len(p.Errors) == 0 {
		return "httpapi: " + p.Code
	}
	return "httpapi: " + p.Code + " at " + p.Errors[0].Field
}

// with returns p with one more header field in its answer.
func (p *problem) with(name, value string) *problem {
	q := *p
	q.header = map[string]string{name: value}
	return &q
}

// at returns p for one declared field of the request.
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

// diagnose returns the problem that answers err, and what that makes of the
// request. What err says is for the log.
func diagnose(ctx context.Context, err error) (*problem, store.Outcome) {
	var (
		p       *problem
		invalid *tokens.InvalidError
	)
	switch {
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return tryAgain, store.Canceled // a server that shuts down still has a client to answer
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

// rule returns which rule the field breaks, and what to send instead. It quotes
// nothing of the request.
func rule(f tokens.FieldError) string {
	text := "It is not allowed." // the rule of a store that is not ours
	switch f.Code {
	case tokens.CodeRequired:
		text = "It is missing or empty."
	case tokens.CodeTooLong:
		text = "It is too long."
	case tokens.CodeInvalidUTF8:
		text = "It is not valid UTF-8."
	case tokens.CodeControlCharacter:
		text = "It has a control character."
	case tokens.CodeMalformed:
		text = "It is not of the required form."
	case tokens.CodeUnknown:
		text = "It is not one of the known values."
	case repeated:
		text = "It appears more than once."
	}
	if form, ok := forms[f.Field]; ok {
		text += " " + form
	}
	return text
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
