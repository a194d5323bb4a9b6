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
	"testing/iotest"

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
	only  []string // the operations in which it can occur; empty: all
	do    Transport
}

// By is the layer that retries a call after a fault. Zero means none.
type By int

// The layers that retry a call.
const (
	TheSDK   By = iota + 1 // if its retries are on
	TheStore               // always
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
	return len(f.only) == 0 || slices.Contains(f.only, operation)
}

// Faults returns all faults. They use the client, which has no faults, to read the items
// that a failed condition returns.
func Faults(c *dynamodb.Client) []Fault {
	answered := func(status int, code string) Transport {
		return func(r *http.Request) (*http.Response, error) {
			return Failure(r, status, code, "not now"), nil
		}
	}
	noEffect := func(name string, do Transport, only ...string) Fault {
		return Fault{Name: name, RepeatedBy: TheSDK, Alike: true, only: only, do: do}
	}
	afterwards := func(name string, do Transport) Fault {
		return Fault{Name: name, RepeatedBy: TheSDK, do: func(r *http.Request) (*http.Response, error) {
			if _, _, err := roundTrip(transport, r); err != nil {
				return nil, err
			}
			return do(r)
		}}
	}
	reset := func(*http.Request) (*http.Response, error) {
		return nil, errors.New("read tcp 127.0.0.1: connection reset by peer")
	}
	const transaction = "TransactWriteItems"
	canceled := func(name string, codes ...string) Fault {
		return Fault{Name: name, RepeatedBy: TheStore, only: []string{transaction}, do: func(r *http.Request) (*http.Response, error) {
			return cancel(c, r, codes)
		}}
	}
	read := canceled("transactional read meets a transaction", "TransactionConflict", "None")
	read.RepeatedBy, read.only = 0, []string{"TransactGetItems"}
	return []Fault{
		noEffect("connection drops before the request", reset),
		noEffect("server fails before it writes", answered(500, "InternalServerError")),
		noEffect("server is unavailable", answered(503, "ServiceUnavailable")),
		noEffect("table is throttled", answered(400, "ProvisionedThroughputExceededException"), "GetItem", "Query", "Scan", "UpdateItem"),
		noEffect("account is throttled", answered(400, "ThrottlingException")),
		noEffect("transaction is in progress", answered(400, "TransactionInProgressException"), transaction),
		afterwards("connection drops before the answer", reset),
		afterwards("server fails after it wrote", answered(500, "InternalServerError")),
		{Name: "answer is cut off", do: truncate},
		{Name: "write meets a transaction", RepeatedBy: TheStore, only: []string{"UpdateItem"}, do: answered(400, "TransactionConflictException")},
		read,
		canceled("first item meets a transaction", "TransactionConflict", "None"),
		canceled("last item meets a transaction", "None", "TransactionConflict"),
		canceled("all items meet a transaction", "TransactionConflict", "TransactionConflict"),
		canceled("first item meets a transaction, the others changed", "TransactionConflict", "ConditionalCheckFailed"),
		canceled("first item changed, the others meet a transaction", "ConditionalCheckFailed", "TransactionConflict"),
		canceled("transaction is throttled", "ThrottlingError", "None"),
		canceled("transaction exceeds the table's throughput", "None", "ProvisionedThroughputExceeded"),
		canceled("transaction is throttled, the others changed", "ThrottlingError", "ConditionalCheckFailed"),
		{Name: "context ends before the request", Ends: true, do: func(r *http.Request) (*http.Response, error) {
			end(r)
			return Failure(r, 400, "ResourceNotFoundException", "not now"), nil
		}},
		{Name: "context ends after the answer", Ends: true, do: func(r *http.Request) (*http.Response, error) {
			resp, err := transport.RoundTrip(r)
			end(r)
			return resp, err
		}},
	}
}

// Inject is a transport with one fault, in the request At, from 0. Use it once.
type Inject struct {
	At    int
	Fault Fault

	requests atomic.Int64
	happened atomic.Bool
}

// Happened reports whether the fault has occurred.
func (f *Inject) Happened() bool { return f.happened.Load() }

// RoundTrip implements [http.RoundTripper].
func (f *Inject) RoundTrip(r *http.Request) (*http.Response, error) {
	if int(f.requests.Add(1))-1 != f.At || !f.Fault.Befalls(Operation(r)) {
		return transport.RoundTrip(r)
	}
	f.happened.Store(true)
	return f.Fault.do(r)
}

// truncate returns half of the answer, and then the error of a closed connection.
func truncate(r *http.Request) (*http.Response, error) {
	resp, body, err := roundTrip(transport, r)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), iotest.ErrReader(io.ErrUnexpectedEOF)))
	return resp, nil
}

// cancel cancels a transaction. The first item has the first code and the others the
// second, or the last item alone if the first code is None. An item that changed is
// returned as it is stored.
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
		_, key, on := target(t)
		out, err := c.GetItem(r.Context(), &dynamodb.GetItemInput{TableName: &on.TableName, Key: KeyItem(key)})
		if err != nil {
			return nil, err
		}
		reasons[n].Item = out.Item
	}
	return Cancellation(r, reasons...), nil
}
