package function

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// An answer is an http.ResponseWriter that records the response.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// The gateway counts the bytes that it sends itself. What package httpapi answers
// is UTF-8, so the body needs no base64.

func (*restEvent) answer(a *answer) ([]byte, error) {
	a.header.Del("Content-Length")
	return json.Marshal(events.APIGatewayProxyResponse{
		StatusCode: a.status, MultiValueHeaders: a.header, Body: a.body.String(),
	})
}

func (*httpEvent) answer(a *answer) ([]byte, error) {
	a.header.Del("Content-Length")
	return json.Marshal(events.APIGatewayV2HTTPResponse{
		StatusCode: a.status, Headers: joined(a.header), Body: a.body.String(),
	})
}

// joined returns one value for each header (RFC 9110, section 5.3).
func joined(header http.Header) map[string]string {
	single := make(map[string]string, len(header))
	for name, values := range header {
		single[name] = strings.Join(values, ", ")
	}
	return single
}
