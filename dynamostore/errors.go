package dynamostore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/devicetokens/devicetokens/store"
)

// A CallError is the error of a failed call of the AWS SDK. It matches [store.ErrTryAgain],
// [store.ErrMisconfigured] or the context's error if one of them applies, and wraps the SDK's
// error. Its text contains no keys or values. The text of the SDK's error may.
type CallError struct {
	Call      string // method of the SDK, such as "UpdateItem"
	Code      string // DynamoDB's error code, such as "ThrottlingException"; "" without a readable response
	RequestID string // AWS request id; "" without a response
	kind      []error
	err       error
}

var _ error = (*CallError)(nil)

// Error returns the call, the code, the request id and the errors that e matches, such as
// "dynamostore: UpdateItem: ThrottlingException (request 4KBNVRGD): store: try again".
func (e *CallError) Error() string {
	var b strings.Builder
	b.WriteString("dynamostore: " + e.Call + ": ")
	switch {
	case e.Code != "":
		b.WriteString(e.Code)
	case e.RequestID != "":
		b.WriteString("unreadable response")
	case errors.Is(e, store.ErrMisconfigured):
		b.WriteString("nothing was sent: check the region, the endpoint and the credentials")
	default:
		b.WriteString("no response")
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	for _, k := range e.kind {
		b.WriteString(": " + k.Error())
	}
	return b.String()
}

// Unwrap returns the errors that e matches, the SDK's error last.
func (e *CallError) Unwrap() []error { return append(e.kind[:len(e.kind):len(e.kind)], e.err) }

func (op *operation) callError(ctx context.Context, call string, err error) error {
	e := &CallError{Call: call, err: err}
	if response, ok := as[*awshttp.ResponseError](err); ok {
		e.RequestID = response.ServiceRequestID()
	}
	if api, ok := as[smithy.APIError](err); ok {
		e.Code = api.ErrorCode()
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		e.kind = op.contextEnded(ctxErr)
	} else if kind := classify(err); kind != nil {
		e.kind = []error{kind}
	}
	return e
}

// as is [errors.As] with the target as a result.
func as[T error](err error) (target T, ok bool) {
	ok = errors.As(err, &target)
	return target, ok
}

// contextEnded returns the errors that match if the context ended during the operation. A
// write may have been applied.
func (op *operation) contextEnded(ctxErr error) []error {
	if op.writes {
		return []error{store.ErrTryAgain, ctxErr}
	}
	return []error{ctxErr}
}

func (op *operation) endedBetweenCalls(ctxErr error) error {
	return fmt.Errorf("dynamostore: between two calls: %w", errors.Join(op.contextEnded(ctxErr)...))
}

// classify returns the sentinel for an error of the SDK, or nil if there is none.
//
// Sources: "Error handling with DynamoDB" in its developer guide, and "Common Errors" in its
// API reference. DynamoDB returns ValidationException for a disabled KMS key and for a table
// with another key schema. The requests of this package are otherwise valid.
func classify(err error) error {
	if canceled, ok := as[*types.TransactionCanceledException](err); ok {
		return classifyCancellation(canceled.CancellationReasons)
	}
	api, ok := as[smithy.APIError](err)
	if !ok {
		return classifyUnanswered(err)
	}
	switch api.ErrorCode() {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "Throttling", "RequestLimitExceeded",
		"LimitExceededException", "TransactionConflictException", "TransactionInProgressException",
		"ReplicatedWriteConflictException", "RequestTimeout", "RequestTimeoutException", "RequestAbortedException":
		return store.ErrTryAgain
	case "ResourceNotFoundException", "AccessDeniedException", "AccessDenied", "UnrecognizedClientException",
		"InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException",
		"IncompleteSignature", "MissingAuthenticationTokenException", "MissingAuthenticationToken",
		"ExpiredTokenException", "ExpiredToken", "RequestExpired", "OptInRequired", "NotAuthorized", "ValidationException":
		return store.ErrMisconfigured
	}
	response, ok := as[*awshttp.ResponseError](err)
	if api.ErrorFault() == smithy.FaultServer || ok && response.HTTPStatusCode() >= http.StatusInternalServerError {
		return store.ErrTryAgain
	}
	return nil
}

// classifyUnanswered classifies an error without a code. If the request may have been sent,
// it may have been applied. If it was not sent, a retry fails in the same way.
//
// The SDK wraps every error of its HTTP client in an awshttp.ResponseError, and the error of an
// operation in a smithy.OperationError. An OperationError without a ResponseError therefore
// occurred before sending, because the region, the endpoint or the credentials are missing.
func classifyUnanswered(err error) error {
	if _, ok := as[*smithy.OperationError](err); !ok {
		return store.ErrTryAgain
	}
	if _, ok := as[*smithy.SerializationError](err); ok {
		return nil
	}
	if _, ok := as[*awshttp.ResponseError](err); ok {
		if noConnection(err) {
			return store.ErrMisconfigured
		}
		return store.ErrTryAgain
	}
	if source, ok := as[*smithyhttp.ResponseError](err); ok && source.HTTPStatusCode() >= http.StatusInternalServerError {
		return store.ErrTryAgain // the source of the credentials failed and may recover
	}
	return store.ErrMisconfigured
}

// noConnection reports whether the configuration prevents every connection.
func noConnection(err error) bool {
	if host, ok := as[*net.DNSError](err); ok && host.IsNotFound {
		return true
	}
	if _, ok := as[*tls.CertificateVerificationError](err); ok {
		return true
	}
	request, ok := as[*url.Error](err)
	if !ok {
		return false
	}
	endpoint, err := url.Parse(request.URL)
	return err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https"
}

func classifyCancellation(reasons []types.CancellationReason) error {
	for _, r := range reasons {
		switch aws.ToString(r.Code) {
		case "", codeNone, codeConditionFailed, codeConflict, codeThroughput, codeThrottling:
		default:
			return nil
		}
	}
	return store.ErrTryAgain
}

// The codes of a cancellation, from the API reference of TransactWriteItems.
const (
	codeNone            = "None"
	codeConditionFailed = "ConditionalCheckFailed"
	codeConflict        = "TransactionConflict"
	codeThroughput      = "ProvisionedThroughputExceeded"
	codeThrottling      = "ThrottlingError"
)
