package dynamo

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// A transport gives each request the canned answer of its operation.
type transport struct {
	answers map[string][]byte // by operation
	sent    func(operation string, body []byte)
}

// RoundTrip reads the request whole, as a connection would.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	if t.sent == nil {
		_, _ = io.Copy(io.Discard, req.Body)
	} else {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		t.sent(operation, body)
	}
	_ = req.Body.Close()

	answer, status := t.answers[operation], http.StatusOK
	if answer == nil {
		answer, status = []byte(`{"__type":"ValidationException","message":"no canned answer"}`), http.StatusBadRequest
	}
	return &http.Response{
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type":     {"application/x-amz-json-1.0"},
			"X-Amz-Crc32":      {strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10)},
			"X-Amzn-Requestid": {"4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG"},
		},
		ContentLength: int64(len(answer)),
		Body:          io.NopCloser(bytes.NewReader(answer)),
		Request:       req,
	}, nil
}

// client returns a client of the SDK as its defaults make it, but for the
// transport.
func (t *transport) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:     "us-east-1",
		HTTPClient: &http.Client{Transport: t},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "not a secret"}, nil
		}),
	})
}
