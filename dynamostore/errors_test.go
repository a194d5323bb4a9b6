package dynamostore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestErrorCodes answers the first call of each method with each error code of
// DynamoDB. want is the sentinel; nil means none.
func TestErrorCodes(t *testing.T) {
	tests := []struct {
		status int
		code   string
		want   error
	}{
		{400, "ProvisionedThroughputExceededException", store.ErrTryAgain},
		{400, "ThrottlingException", store.ErrTryAgain},
		{400, "RequestLimitExceeded", store.ErrTryAgain},
		{400, "LimitExceededException", store.ErrTryAgain},
		{400, "TransactionConflictException", store.ErrTryAgain},
		{400, "TransactionInProgressException", store.ErrTryAgain},
		{400, "ReplicatedWriteConflictException", store.ErrTryAgain},
		{408, "RequestTimeoutException", store.ErrTryAgain},
		{400, "RequestAbortedException", store.ErrTryAgain},
		{500, "InternalServerError", store.ErrTryAgain},
		{500, "InternalFailure", store.ErrTryAgain},
		{503, "ServiceUnavailable", store.ErrTryAgain},
		{502, "SomethingNew", store.ErrTryAgain},

		{400, "ResourceNotFoundException", store.ErrMisconfigured},
		{400, "AccessDeniedException", store.ErrMisconfigured},
		{400, "UnrecognizedClientException", store.ErrMisconfigured},
		{400, "InvalidSignatureException", store.ErrMisconfigured},
		{400, "IncompleteSignatureException", store.ErrMisconfigured},
		{400, "MissingAuthenticationTokenException", store.ErrMisconfigured},
		{400, "ExpiredTokenException", store.ErrMisconfigured},
		{400, "RequestExpired", store.ErrMisconfigured},
		{403, "OptInRequired", store.ErrMisconfigured},
		{400, "ValidationException", store.ErrMisconfigured}, // a table with other keys, or a disabled key of KMS

		{400, "IdempotentParameterMismatchException", nil},
		{400, "ItemCollectionSizeLimitExceededException", nil},
		{400, "SomethingNew", nil},
	}
	for _, tt := range tests {
		for operation, call := range methods {
			t.Run(fmt.Sprintf("%d %s/%s", tt.status, tt.code, operation), func(t *testing.T) {
				var events []store.Event
				s := offline(t, dynamotest.Script(failure(tt.status, tt.code)), func(e store.Event) { events = append(events, e) })
				err := call(t.Context(), s)
				sentinels(t, err, tt.want)
				var (
					failed *dynamostore.CallError
					cause  smithy.APIError
				)
				if !errors.As(err, &failed) || failed.Code != tt.code || failed.RequestID != dynamotest.RequestID {
					t.Errorf("the CallError is %+v", failed)
				}
				if !errors.As(err, &cause) || cause.ErrorCode() != tt.code {
					t.Errorf("the cause of %v is %v", err, cause)
				}
				discreet(t, err)
				want := fmt.Sprintf("dynamostore: %s: %s (request %s)", failed.Call, tt.code, dynamotest.RequestID)
				if tt.want != nil {
					want += ": " + tt.want.Error()
				}
				equal(t, "text", want, err.Error())
				if len(events) != 1 {
					t.Fatalf("there are %d events, want 1", len(events))
				}
				outcome := map[error]store.Outcome{store.ErrTryAgain: store.TryAgain, store.ErrMisconfigured: store.Misconfigured, nil: store.Failed}[tt.want]
				equal(t, "outcome", outcome, events[0].Outcome)
				equal(t, "operation", operation, events[0].Operation)
				calls := 1
				if events[0].Attempts > 0 && tt.code == "TransactionConflictException" {
					calls = 4 // the store retries a single write, because the SDK does not
				}
				equal(t, "calls", calls, events[0].Calls)
			})
		}
	}
}

// TestNoAnswer has failures without a readable answer of DynamoDB.
func TestNoAnswer(t *testing.T) {
	answered := func(status int, header, value, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			resp := dynamotest.Answer(r, status, body)
			resp.Header.Set(header, value)
			return resp, nil
		}
	}
	failed := func(err error) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	tests := []struct {
		name   string
		answer func(*http.Request) (*http.Response, error)
		text   string
	}{
		{"connection refused", failed(&net.OpError{Op: "dial", Err: errors.New("connection refused")}), "no response"},
		{"name server", failed(&net.DNSError{Err: "server misbehaving", Name: "alice", IsTemporary: true}), "no response"},
		{"end of file", failed(io.ErrUnexpectedEOF), "no response"},
		{"page of a proxy", answered(502, "Content-Type", "text/html", "<html>alice"), "unreadable response"},
		{"refusal of a proxy", answered(407, "Content-Type", "text/html", "<html>alice"), "unreadable response"},
		{"half of a success", answered(200, "X-Amz-Id", "", `{"Item":{"userId":{"S":"ali`), "unreadable response"},
		{"no JSON", answered(200, "X-Amz-Id", "", "alice"), "unreadable response"},
		{"malformed checksum", answered(200, "X-Amz-Crc32", "x", "{}"), "unreadable response"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := offline(t, dynamotest.Transport(tt.answer), nil)
			_, err := s.Get(t.Context(), alice)
			tryAgain(t, err)
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("the text %q does not say %q", err, tt.text)
			}
		})
	}
}

// TestNothingSent has calls fail before a request reaches DynamoDB. A repeat helps
// only if the source of the credentials may recover.
func TestNothingSent(t *testing.T) {
	endpoint := func(url string) func(*dynamodb.Options) {
		return func(o *dynamodb.Options) { o.BaseEndpoint = &url }
	}
	credentials := func(err error) func(*dynamodb.Options) {
		return func(o *dynamodb.Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, fmt.Errorf("failed to refresh cached credentials, %w", err)
			})
		}
	}
	// The SDK's sources of credentials call services too.
	service := func(id string, err error) error {
		return &smithy.OperationError{ServiceID: id, OperationName: "GetCredentials", Err: err}
	}
	answered := func(status int, err error) *smithyhttp.ResponseError {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
	}
	unreachable := &smithyhttp.RequestSendError{Err: &url.Error{
		Op: "Get", URL: "http://169.254.169.254/alice", Err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded},
	}}
	connecting := func(err error) func(*dynamodb.Options) {
		return func(o *dynamodb.Options) {
			o.HTTPClient = &http.Client{Transport: dynamotest.Transport(func(*http.Request) (*http.Response, error) { return nil, err })}
		}
	}
	tests := []struct {
		name   string
		change func(*dynamodb.Options)
		want   error
	}{
		{"no region", func(o *dynamodb.Options) { o.Region, o.BaseEndpoint = "", nil }, store.ErrMisconfigured},
		{"malformed region", func(o *dynamodb.Options) { o.Region, o.BaseEndpoint = "eu central", nil }, store.ErrMisconfigured},
		{"endpoint without a scheme", endpoint("localhost:8000"), store.ErrMisconfigured},
		{"endpoint without a host", endpoint("http://"), store.ErrMisconfigured},
		{"endpoint of another scheme", endpoint("ftp://alice"), store.ErrMisconfigured},
		{"endpoint that is not a URL", endpoint("http://alice:port"), store.ErrMisconfigured},
		{"FIPS with an endpoint", func(o *dynamodb.Options) {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}, store.ErrMisconfigured},
		{"no such host", connecting(&net.DNSError{Err: "no such host", Name: "alice", IsNotFound: true}), store.ErrMisconfigured},
		{"certificate", connecting(&tls.CertificateVerificationError{Err: errors.New("alice")}), store.ErrMisconfigured},

		{"no credentials", credentials(errors.New("alice has no credentials")), store.ErrMisconfigured},
		{"no instance role: nothing answers", credentials(service("ec2imds", unreachable)), store.ErrMisconfigured},
		{"no instance role: not found", credentials(service("ec2imds", answered(404, errors.New("alice")))), store.ErrMisconfigured},
		{"instance metadata fails", credentials(service("ec2imds", answered(500, errors.New("alice")))), store.ErrTryAgain},
		{"no container credentials", credentials(unreachable), store.ErrMisconfigured},
		{"STS cannot be reached", credentials(service("STS", &awshttp.ResponseError{ResponseError: answered(0, unreachable)})), store.ErrTryAgain},
		{"STS throttles", credentials(service("STS", &smithy.GenericAPIError{Code: "Throttling", Message: "alice"})), store.ErrTryAgain},
		{"the session expired", credentials(service("STS", &smithy.GenericAPIError{Code: "ExpiredToken", Message: "alice"})), store.ErrMisconfigured},
	}
	for _, tt := range tests {
		for operation, call := range methods {
			for name, retries := range map[string]func(*dynamodb.Options){"no retries": dynamotest.NoRetries, "retries": dynamotest.Retries} {
				t.Run(fmt.Sprintf("%s/%s, %s", tt.name, operation, name), func(t *testing.T) {
					nothing := dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
						if r.URL.Host != "" && r.URL.Scheme == "http" {
							t.Errorf("a request was sent to %s", r.URL)
						}
						return http.DefaultTransport.RoundTrip(r) // refuses any other URL
					})
					s := dynamotest.Store(t, dynamotest.Offline(nothing, retries, tt.change), "table", dynamostore.Options{})
					err := call(t.Context(), s)
					sentinels(t, err, tt.want)
					discreet(t, err)
				})
			}
		}
	}
}

// unserializable is a client that cannot make a request of its input.
type unserializable struct{ dynamostore.Client }

func (unserializable) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return nil, &smithy.OperationError{
		ServiceID: "DynamoDB", OperationName: "UpdateItem",
		Err: &smithy.SerializationError{Err: errors.New("unknown type")},
	}
}

// TestUnserializable returns an error without a sentinel: repeating the call does
// not help, and the configuration is right.
func TestUnserializable(t *testing.T) {
	sentinels(t, dynamotest.Store(t, unserializable{}, "table", dynamostore.Options{}).Deactivate(t.Context(), alice), nil)
}

// TestRefusedAtOnce: a call whose context is done or whose arguments are invalid
// sends nothing.
func TestRefusedAtOnce(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	var event store.Event
	s := offline(t, dynamotest.Transport(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, io.EOF
	}), func(e store.Event) { event = e })
	for operation, call := range methods {
		err := call(done, s)
		if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrTryAgain) || event.Err != err {
			t.Errorf("%s: the error is %v, and %v in the event; want the context's alone", operation, err, event.Err)
		}
		equal(t, "outcome", store.Canceled, event.Outcome)
		equal(t, "calls", 0, event.Calls)
	}
	err := s.Deactivate(done, key("#alice", "d"))
	var invalid *tokens.InvalidError
	if !errors.As(err, &invalid) || event.Err != err {
		t.Errorf("the error is %v, and %v in the event; want an InvalidError", err, event.Err)
	}
	equal(t, "outcome", store.Invalid, event.Outcome)
}
