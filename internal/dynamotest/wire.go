package dynamotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Item is an item of the table.
type Item = map[string]types.AttributeValue

// S returns a string attribute.
func S(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

// N returns a number attribute.
func N(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

// KeyItem returns the attributes of a key.
func KeyItem(k tokens.Key) Item {
	return Item{"userId": S(string(k.UserID)), "deviceId": S(string(k.DeviceID))}
}

// With returns a copy of i with other attributes. It removes attributes that are nil.
func With(i, changes Item) Item {
	i = maps.Clone(i)
	maps.Copy(i, changes)
	maps.DeleteFunc(i, func(_ string, v types.AttributeValue) bool { return v == nil })
	return i
}

// Text returns a string attribute, "" if it is absent or of another type.
func Text(i Item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// Number returns an integer attribute, 0 if it is absent or of another type.
func Number(i Item, name string) int64 {
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		n, _ := strconv.ParseInt(v.Value, 10, 64)
		return n
	}
	return 0
}

// Operation returns the operation of a request, such as "UpdateItem".
func Operation(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// RequestID is the request id of each [Answer].
const RequestID = "4KBNVRGDTESTREQUEST"

// Answer returns an answer to r with a body in JSON.
func Answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Request: r,
		Header: http.Header{
			"Content-Type":     {"application/x-amz-json-1.0"},
			"X-Amzn-Requestid": {RequestID},
		},
		ContentLength: int64(len(body)),
		Body:          io.NopCloser(strings.NewReader(body)),
	}
}

// Failure returns an error of DynamoDB as the answer to r.
func Failure(r *http.Request, status int, code, message string) *http.Response {
	return Answer(r, status, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q,"Message":%[2]q}`, code, message))
}

// A Reason is the reason why an item of a transaction was not written. It has the stored
// item if the transaction asked for that.
type Reason struct {
	Code string
	Item Item
}

// Cancellation returns the answer to r of a canceled transaction.
func Cancellation(r *http.Request, reasons ...Reason) *http.Response {
	var list []map[string]any
	for _, reason := range reasons {
		wire := map[string]any{"Message": "not now"}
		if reason.Code != "" {
			wire["Code"] = reason.Code
		}
		if reason.Item != nil {
			wire["Item"] = json.RawMessage(ItemJSON(reason.Item))
		}
		list = append(list, wire)
	}
	body, err := json.Marshal(map[string]any{
		"__type":              "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":             "Transaction cancelled, please refer cancellation reasons for specific reasons",
		"CancellationReasons": list,
	})
	if err != nil {
		panic(err)
	}
	return Answer(r, http.StatusBadRequest, string(body))
}

// ItemJSON returns an item as it is on the wire.
func ItemJSON(i Item) string {
	text, err := attributevalue.MarshalMapJSON(i)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// takeBody reads a body and replaces it by an equal one.
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

// roundTrip returns the body of the response too, and leaves it to be read.
func roundTrip(next http.RoundTripper, r *http.Request) (*http.Response, []byte, error) {
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := takeBody(&resp.Body)
	return resp, body, err
}

// A Transport is a function that is a transport.
type Transport func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// Script returns a transport that returns the answers in order, and then repeats the last
// one.
func Script(answers ...func(*http.Request) *http.Response) Transport {
	var next atomic.Int64
	return func(r *http.Request) (*http.Response, error) {
		n := int(next.Add(1)) - 1
		return answers[min(n, len(answers)-1)](r), nil
	}
}
