package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A CallError says that a call of the AWS SDK failed. It matches what the caller
// has to know ([store.ErrTryAgain], [store.ErrMisconfigured], the context's
// error), if there is such a thing, and it wraps the SDK's error for
// [errors.As]. Its own text has neither keys nor values, which the text of the
// SDK's error may have.
type CallError struct {
	Call      string // of the SDK: "UpdateItem"
	Code      string // of DynamoDB: "ThrottlingException"; "" if there was no answer that could be read
	RequestID string // of AWS; "" if there was no answer
	kind      []error
	err       error
}

var _ error = (*CallError)(nil)

// Error returns a text such as
// "try again: dynamodb UpdateItem: ThrottlingException (request 4KBNVRGD)".
func (e *CallError) Error() string {
	var b strings.Builder
	for _, k := range e.kind {
		b.WriteString(k.Error() + ": ")
	}
	b.WriteString("dynamodb " + e.Call + ": ")
	switch {
	case e.Code != "":
		b.WriteString(e.Code)
	case e.RequestID != "":
		b.WriteString("unreadable answer")
	default:
		b.WriteString("no answer")
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap returns what e matches, and the SDK's error last.
func (e *CallError) Unwrap() []error { return append(e.kind[:len(e.kind):len(e.kind)], e.err) }

// fault makes a CallError of what the SDK returned.
func (op *operation) fault(ctx context.Context, call string, err error) error {
	e := &CallError{Call: call, err: err}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.RequestID = response.ServiceRequestID()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		e.kind = op.interrupted(ctxErr)
	} else if kind := classify(err); kind != nil {
		e.kind = []error{kind}
	}
	return e
}

// interrupted returns what an operation matches whose context ended: if it
// writes, the write may have happened.
func (op *operation) interrupted(ctxErr error) []error {
	if op.writes {
		return []error{store.ErrTryAgain, ctxErr}
	}
	return []error{ctxErr}
}

// canceled is the error of an operation whose context ended between two calls.
func (op *operation) canceled(ctxErr error) error {
	return fmt.Errorf("dynamodb: between two calls: %w", errors.Join(op.interrupted(ctxErr)...))
}

// classify returns the sentinel for an error of the SDK, nil for a fault that is
// neither temporary nor a matter of configuration.
//
// Sources: "Error handling with DynamoDB" in its developer guide, and "Common
// Errors" in its API reference. A key of KMS that may not be used is an
// AccessDeniedException, and one that is disabled, for want of a code of its own,
// a ValidationException. So is a table with other keys than ours. Since a request
// of this package is otherwise valid, that code too is a matter of configuration.
func classify(err error) error {
	if reasons, ok := cancellation(err); ok {
		return classifyCancellation(reasons)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		var unsent *smithy.SerializationError
		if errors.As(err, &unsent) {
			return nil
		}
		return store.ErrTryAgain // no answer, or half of one: whether it happened is unknown
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
	var response *awshttp.ResponseError
	if api.ErrorFault() == smithy.FaultServer ||
		errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
		return store.ErrTryAgain
	}
	return nil
}

// conditionFailed returns the item that a refused write came upon.
func conditionFailed(err error) (old item, ok bool) {
	var refused *types.ConditionalCheckFailedException
	if !errors.As(err, &refused) {
		return nil, false
	}
	return refused.Item, true
}

// isConflict reports whether a plain write met a transaction on its item. The
// SDK does not repeat it.
func isConflict(err error) bool {
	var conflict *types.TransactionConflictException
	return errors.As(err, &conflict)
}

// cancellation returns why a transaction was cancelled, a reason for each of its
// items.
func cancellation(err error) (reasons []types.CancellationReason, ok bool) {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return nil, false
	}
	return canceled.CancellationReasons, true
}

// classifyCancellation returns ErrTryAgain unless a reason will not go away.
func classifyCancellation(reasons []types.CancellationReason) error {
	for _, r := range reasons {
		switch codeOf(r) {
		case codeNone, codeConditionFailed, codeConflict, codeThroughput, codeThrottling:
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

func codeOf(r types.CancellationReason) string {
	if r.Code == nil {
		return codeNone
	}
	return *r.Code
}

func outcomeOf(err error) Outcome {
	var (
		invalid *tokens.InvalidError
		corrupt *store.CorruptError
	)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return NotFound
	case errors.As(err, &invalid):
		return Invalid
	case errors.As(err, &corrupt):
		return Corrupt
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, store.ErrTryAgain), errors.Is(err, context.DeadlineExceeded):
		return TryAgain
	case errors.Is(err, store.ErrMisconfigured):
		return Misconfigured
	default:
		return Failed
	}
}
