package dynamotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What DynamoDB's JSON protocol looks like on the wire: a POST whose header names
// the operation, and an answer with JSON and a request id.

// An Item is a row of the table.
type Item = map[string]types.AttributeValue

// Operation returns the operation that a request asks for, such as "UpdateItem".
func Operation(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// RequestID is the request id of each [Answer].
const RequestID = "4KBNVRGDTESTREQUEST"

// Answer returns the answer to r with a body in JSON.
func Answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type":     {"application/x-amz-json-1.0"},
			"X-Amzn-Requestid": {RequestID},
		},
		ContentLength: int64(len(body)),
		Body:          io.NopCloser(strings.NewReader(body)),
	}
}

// Failure returns the answer to r that is an error of DynamoDB. Its message has
// what must not come out in the text of an error of the store.
func Failure(r *http.Request, status int, code, message string) *http.Response {
	return Answer(r, status, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q,"Message":%[2]q}`, code, message))
}

// A Reason is why an item of a transaction was not written: a code, and the item
// as it is, if that is what the transaction asked for.
type Reason struct {
	Code string
	Item Item
}

// Cancellation returns the answer to r that cancels a transaction.
func Cancellation(r *http.Request, reasons ...Reason) *http.Response {
	var list []map[string]any
	for _, reason := range reasons {
		wire := map[string]any{}
		if reason.Code != "" {
			wire["Code"] = reason.Code
		}
		if reason.Code != "None" {
			wire["Message"] = "not now"
		}
		if reason.Item != nil {
			wire["Item"] = json.RawMessage(ItemJSON(reason.Item))
		}
		list = append(list, wire)
	}
	return Answer(r, http.StatusBadRequest, mustJSON(map[string]any{
		"__type":              "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":             "Transaction cancelled, please refer cancellation reasons for specific reasons",
		"CancellationReasons": list,
	}))
}

// ItemJSON is an item on the wire.
func ItemJSON(i Item) string {
	text, err := attributevalue.MarshalMapJSON(i)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// takeBody reads a body and puts an equal one in its place.
func takeBody(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	text, err := io.ReadAll(*body)
	if closeErr := (*body).Close(); err == nil {
		err = closeErr
	}
	*body = io.NopCloser(bytes.NewReader(text))
	return text, err
}

// A Transport is a function as a transport.
type Transport func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// Script is a transport that returns the answers in order, for any request, and then
// repeats the last one.
func Script(answers ...func(*http.Request) *http.Response) Transport {
	var next atomic.Int64
	return func(r *http.Request) (*http.Response, error) {
		n := int(next.Add(1)) - 1
		return answers[min(n, len(answers)-1)](r), nil
	}
}
