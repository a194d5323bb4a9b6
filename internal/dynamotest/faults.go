package dynamotest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// A Fault is one kind of failure of a call.
type Fault struct {
	Name       string
	RepeatedBy By
	// Alike marks the faults that a store cannot tell apart: the request has no
	// effect, and the SDK may repeat it.
	Alike bool
	Ends  bool     // it ends the context of [WithEnd]
	only  []string // the operations that it can befall; nil: all
	do    func(next http.RoundTripper, r *http.Request) (*http.Response, error)
}

// By is the layer that retries a call after a fault. Zero means none.
type By int

// The layers that retry a call.
const (
	TheSDK   By = iota + 1 // if its retries are on
	TheStore               // regardless of the SDK
)

type endKey struct{}

// WithEnd returns a context that a fault with Ends cancels.
func WithEnd(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	return context.WithValue(ctx, endKey{}, cancel)
}

func end(r *http.Request) { r.Context().Value(endKey{}).(context.CancelFunc)() }

// Befalls reports whether the fault can occur in the operation.
func (f Fault) Befalls(operation string) bool {
	return f.only == nil || slices.Contains(f.only, operation)
}

var (
	errReset      = errors.New("read tcp 127.0.0.1: connection reset by peer")
	transacting   = []string{"TransactWriteItems"}
	notTransacted = []string{"GetItem", "Query", "Scan", "UpdateItem"}
)

// Faults returns all faults. They use the client, which has no faults, to read the items
// that a failed condition returns.
func Faults(c *dynamodb.Client) []Fault {
	answered := func(status int, code string) func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			return Failure(r, status, code, "not now"), nil
		}
	}
	canceled := func(codes ...string) func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) { return cancel(c, r, codes) }
	}
	return []Fault{
		{Name: "connection drops before the request", RepeatedBy: TheSDK, Alike: true, do: func(http.RoundTripper, *http.Request) (*http.Response, error) {
			return nil, errReset
		}},
		{Name: "connection drops before the answer", RepeatedBy: TheSDK, do: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if _, err := answer(next, r); err != nil {
				return nil, err
			}
			return nil, errReset
		}},
		{Name: "answer is cut off", do: truncate},
		{Name: "server fails before it writes", RepeatedBy: TheSDK, Alike: true, do: answered(http.StatusInternalServerError, "InternalServerError")},
		{Name: "server fails after it wrote", RepeatedBy: TheSDK, do: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if _, err := answer(next, r); err != nil {
				return nil, err
			}
			return Failure(r, http.StatusInternalServerError, "InternalServerError", "not now"), nil
		}},
		{Name: "server is unavailable", RepeatedBy: TheSDK, Alike: true, do: answered(http.StatusServiceUnavailable, "ServiceUnavailable")},
		{Name: "table is throttled", RepeatedBy: TheSDK, Alike: true, only: notTransacted, do: answered(http.StatusBadRequest, "ProvisionedThroughputExceededException")},
		{Name: "account is throttled", RepeatedBy: TheSDK, Alike: true, do: answered(http.StatusBadRequest, "ThrottlingException")},
		{Name: "transaction is in progress", RepeatedBy: TheSDK, Alike: true, only: transacting, do: answered(http.StatusBadRequest, "TransactionInProgressException")},
		{Name: "write meets a transaction", RepeatedBy: TheStore, only: []string{"UpdateItem"}, do: answered(http.StatusBadRequest, "TransactionConflictException")},
		{Name: "transactional read meets a transaction", only: []string{"TransactGetItems"}, do: canceled("TransactionConflict", "None")},
		{Name: "first item meets a transaction", RepeatedBy: TheStore, only: transacting, do: canceled("TransactionConflict", "None")},
		{Name: "last item meets a transaction", RepeatedBy: TheStore, only: transacting, do: canceled("None", "TransactionConflict")},
		{Name: "all items meet a transaction", RepeatedBy: TheStore, only: transacting, do: canceled("TransactionConflict", "TransactionConflict")},
		{Name: "first item meets a transaction, the others changed", RepeatedBy: TheStore, only: transacting, do: canceled("TransactionConflict", "ConditionalCheckFailed")},
		{Name: "first item changed, the others meet a transaction", RepeatedBy: TheStore, only: transacting, do: canceled("ConditionalCheckFailed", "TransactionConflict")},
		{Name: "transaction is throttled", RepeatedBy: TheStore, only: transacting, do: canceled("ThrottlingError", "None")},
		{Name: "transaction exceeds the table's throughput", RepeatedBy: TheStore, only: transacting, do: canceled("None", "ProvisionedThroughputExceeded")},
		{Name: "transaction is throttled, the others changed", RepeatedBy: TheStore, only: transacting, do: canceled("ThrottlingError", "ConditionalCheckFailed")},
		{Name: "context ends before the request", Ends: true, do: func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			end(r)
			return nil, context.Canceled
		}},
		{Name: "context ends after the answer", Ends: true, do: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			end(r)
			return resp, err
		}},
	}
}

// Inject is a transport with one fault, in the request with the given number, from 0. Use
// it once.
type Inject struct {
	Next  http.RoundTripper // nil: the shared one to DynamoDB Local
	At    int
	Fault Fault

	requests atomic.Int64
	happened atomic.Bool
}

// Happened reports whether the fault has occurred.
func (f *Inject) Happened() bool { return f.happened.Load() }

// RoundTrip implements [http.RoundTripper].
func (f *Inject) RoundTrip(r *http.Request) (*http.Response, error) {
	next := f.Next
	if next == nil {
		next = transport
	}
	if int(f.requests.Add(1))-1 != f.At || !f.Fault.Befalls(Operation(r)) {
		return next.RoundTrip(r)
	}
	f.happened.Store(true)
	return f.Fault.do(next, r)
}

// answer sends the request and reads the whole answer, so that it is known to
// have happened.
func answer(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	_, err = takeBody(&resp.Body)
	return resp, err
}

// truncate gives half of the answer, and then the error of a connection that was
// closed.
func truncate(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := takeBody(&resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), brokenReader{}))
	return resp, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// cancel cancels a transaction: the first item for the first code, the others for
// the second; if the first is None, only the last item for the second. An item
// that changed is shown as it is.
func cancel(c *dynamodb.Client, r *http.Request, codes []string) (*http.Response, error) {
	body, err := takeBody(&r.Body)
	if err != nil {
		return nil, err
	}
	var req request
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, err
	}
	reasons := make([]Reason, len(req.TransactItems))
	for n, t := range req.TransactItems {
		switch last := n == len(reasons)-1; {
		case codes[0] == "None" && last:
			reasons[n].Code = codes[1]
		case codes[0] == "None":
			reasons[n].Code = codes[0]
		default:
			reasons[n].Code = codes[min(n, 1)]
		}
		if reasons[n].Code != "ConditionalCheckFailed" {
			continue
		}
		_, key, on := t.target()
		out, err := c.GetItem(r.Context(), &dynamodb.GetItemInput{TableName: &on.TableName, Key: key})
		if err != nil {
			return nil, err
		}
		reasons[n].Item = out.Item
	}
	return Cancellation(r, reasons...), nil
}
