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

// TestErrorCodes answers the first call of each method with each error code of DynamoDB. The
// key of a list is the sentinel of its codes; nil means none.
func TestErrorCodes(t *testing.T) {
	for want, codes := range map[error]map[int][]string{
		store.ErrTryAgain: {
			400: {
				"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException",
				"TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException",
				"RequestTimeoutException", "RequestAbortedException",
			},
			500: {"InternalServerError", "InternalFailure"},
			502: {"SomethingNew"},
			503: {"ServiceUnavailable"},
		},
		store.ErrMisconfigured: {400: {
			"ResourceNotFoundException", "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException",
			"IncompleteSignatureException", "MissingAuthenticationTokenException", "ExpiredTokenException", "RequestExpired",
			"OptInRequired", "ValidationException", // the last one for a table with other keys, or a disabled key of KMS
		}},
		nil: {400: {"IdempotentParameterMismatchException", "ItemCollectionSizeLimitExceededException", "SomethingNew"}},
	} {
		for status, codes := range codes {
			for _, code := range codes {
				for operation, call := range methods {
					t.Run(fmt.Sprintf("%d %s/%s", status, code, operation), func(t *testing.T) {
						testErrorCode(t, status, code, want, operation, call)
					})
				}
			}
		}
	}
}

func testErrorCode(t *testing.T, status int, code string, want error, operation store.Operation, call func(context.Context, store.Store) error) {
	var events []store.Event
	c := dynamotest.Offline(dynamotest.Script(failure(status, code)), dynamotest.NoRetries)
	err := call(t.Context(), dynamotest.Store(t, c, "table", dynamostore.Options{MaxAttempts: 4, Observe: func(e store.Event) { events = append(events, e) }}))
	sentinels(t, err, want)
	discreet(t, err)
	var (
		failed *dynamostore.CallError
		cause  smithy.APIError
	)
	if !errors.As(err, &failed) || failed.Code != code || failed.RequestID != dynamotest.RequestID {
		t.Fatalf("the CallError is %+v", failed)
	}
	if !errors.As(err, &cause) || cause.ErrorCode() != code {
		t.Errorf("the cause of %v is %v", err, cause)
	}
	text := fmt.Sprintf("dynamostore: %s: %s (request %s)", failed.Call, code, dynamotest.RequestID)
	if want != nil {
		text += ": " + want.Error()
	}
	equal(t, "text", text, err.Error())
	equal(t, "events", 1, len(events))
	outcome := map[error]store.Outcome{store.ErrTryAgain: store.TryAgain, store.ErrMisconfigured: store.Misconfigured, nil: store.Failed}[want]
	equal(t, "outcome", outcome, events[0].Outcome)
	equal(t, "operation", operation, events[0].Operation)
	calls := 1
	if events[0].Attempts > 0 && code == "TransactionConflictException" {
		calls = 4 // the store retries a single write, because the SDK does not
	}
	equal(t, "calls", calls, events[0].Calls)
}

// TestNoAnswer has failures without a readable answer of DynamoDB. The map has the texts.
func TestNoAnswer(t *testing.T) {
	answered := func(status int, header, value, body string) dynamotest.Transport {
		return func(r *http.Request) (*http.Response, error) {
			resp := dynamotest.Answer(r, status, body)
			resp.Header.Set(header, value)
			return resp, nil
		}
	}
	failed := func(err error) dynamotest.Transport {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	for text, transports := range map[string]map[string]dynamotest.Transport{
		"no response": {
			"connection refused": failed(&net.OpError{Op: "dial", Err: errors.New("connection refused")}),
			"name server":        failed(&net.DNSError{Err: "server misbehaving", Name: "alice", IsTemporary: true}),
			"end of file":        failed(io.ErrUnexpectedEOF),
		},
		"unreadable response": {
			"page of a proxy":    answered(502, "Content-Type", "text/html", "<html>alice"),
			"refusal of a proxy": answered(407, "Content-Type", "text/html", "<html>alice"),
			"half of a success":  answered(200, "X-Amz-Id", "", `{"Item":{"userId":{"S":"ali`),
			"no JSON":            answered(200, "X-Amz-Id", "", "alice"),
			"malformed checksum": answered(200, "X-Amz-Crc32", "x", "{}"),
		},
	} {
		for name, transport := range transports {
			t.Run(name, func(t *testing.T) {
				_, err := offline(t, transport, nil).Get(t.Context(), alice)
				tryAgain(t, err)
				if !strings.Contains(err.Error(), text) {
					t.Errorf("the text %q lacks %q", err, text)
				}
			})
		}
	}
}

// TestNothingSent fails calls before a request reaches DynamoDB. A retry helps only if the
// source of the credentials may recover.
func TestNothingSent(t *testing.T) {
	type option = func(*dynamodb.Options)
	endpoint := func(url string) option { return func(o *dynamodb.Options) { o.BaseEndpoint = &url } }
	region := func(name string) option {
		return func(o *dynamodb.Options) { o.Region, o.BaseEndpoint = name, nil }
	}
	connecting := func(err error) option {
		return func(o *dynamodb.Options) {
			o.HTTPClient = &http.Client{Transport: dynamotest.Transport(func(*http.Request) (*http.Response, error) { return nil, err })}
		}
	}
	credentials := func(err error) option {
		return func(o *dynamodb.Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, fmt.Errorf("failed to refresh cached credentials, %w", err)
			})
		}
	}
	// The SDK's sources of credentials call services too.
	service := func(id string, err error) option {
		return credentials(&smithy.OperationError{ServiceID: id, OperationName: "GetCredentials", Err: err})
	}
	answered := func(status int, err error) *smithyhttp.ResponseError {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
	}
	unreachable := &smithyhttp.RequestSendError{Err: &url.Error{
		Op: "Get", URL: "http://169.254.169.254/alice", Err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded},
	}}
	failed := errors.New("alice")
	for want, changes := range map[error]map[string]option{
		store.ErrMisconfigured: {
			"no region":                  region(""),
			"malformed region":           region("eu central"),
			"endpoint without a scheme":  endpoint("localhost:8000"),
			"endpoint without a host":    endpoint("http://"),
			"endpoint of another scheme": endpoint("ftp://alice"),
			"endpoint that is not a URL": endpoint("http://alice:port"),
			"FIPS with an endpoint":      func(o *dynamodb.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled },
			"no such host":               connecting(&net.DNSError{Err: "no such host", Name: "alice", IsNotFound: true}),
			"certificate":                connecting(&tls.CertificateVerificationError{Err: failed}),
			"no credentials":             credentials(failed),
			"no container credentials":   credentials(unreachable),
			"no answer of the instance":  service("ec2imds", unreachable),
			"no role of the instance":    service("ec2imds", answered(404, failed)),
			"the session expired":        service("STS", &smithy.GenericAPIError{Code: "ExpiredToken", Message: "alice"}),
		},
		store.ErrTryAgain: {
			"the instance's metadata fail": service("ec2imds", answered(500, failed)),
			"STS cannot be reached":        service("STS", &awshttp.ResponseError{ResponseError: answered(0, unreachable)}),
			"STS throttles":                service("STS", &smithy.GenericAPIError{Code: "Throttling", Message: "alice"}),
		},
	} {
		for name, change := range changes {
			for operation, call := range methods {
				for n, retries := range []option{dynamotest.NoRetries, dynamotest.Retries} {
					t.Run(fmt.Sprintf("%s/%s, %d", name, operation, n), func(t *testing.T) {
						nothing := dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
							if r.URL.Host != "" && r.URL.Scheme == "http" {
								t.Errorf("a request was sent to %s", r.URL)
							}
							return http.DefaultTransport.RoundTrip(r) // refuses any other URL
						})
						err := call(t.Context(), dynamotest.Store(t, dynamotest.Offline(nothing, retries, change), "table", dynamostore.Options{}))
						sentinels(t, err, want)
						discreet(t, err)
					})
				}
			}
		}
	}
}

// failing is a client whose calls fail with err.
type failing struct {
	dynamostore.Client
	err error
}

func (f failing) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return nil, f.err
}

// TestOtherErrors: an input that cannot be encoded has no sentinel, because neither a retry
// nor another configuration helps. An error that is not the SDK's may be temporary.
func TestOtherErrors(t *testing.T) {
	for want, err := range map[error]error{
		nil: &smithy.OperationError{
			ServiceID: "DynamoDB", OperationName: "GetItem", Err: &smithy.SerializationError{Err: errors.New("unknown type")},
		},
		store.ErrTryAgain: errors.New("alice"),
	} {
		_, err := dynamotest.Store(t, failing{err: err}, "table", dynamostore.Options{}).Get(t.Context(), alice)
		sentinels(t, err, want)
		discreet(t, err)
	}
}

// TestRefusedAtOnce: a call whose context is done or whose arguments are invalid
// sends nothing.
func TestRefusedAtOnce(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	var event store.Event
	s := offline(t, dynamotest.Script(failure(400, "ThrottlingException")), &event)
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
	equal(t, "calls", 0, event.Calls)
}
