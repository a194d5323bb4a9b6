package dynamo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/tokens"
)

const table = "device-tokens"

// devices is the number of registrations of the listed user, which is the default limit.
const devices = 20

// The request and the server's clock in each run.
var (
	user  = tokens.UserID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
	now   = time.Date(2026, time.November, 23, 9, 26, 53, 589_000_000, time.UTC)
	first = now.Add(-40 * 24 * time.Hour)

	request = tokens.Request{
		Key:       tokens.Key{UserID: user, DeviceID: device(0)},
		Token:     tokens.MustParseToken(token(0)),
		Platform:  tokens.IOS,
		ProjectID: "0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e",
	}
)

func device(i int) tokens.DeviceID {
	return tokens.DeviceID(fmt.Sprintf("%08X-1B4E-4C3D-9A5F-6E7D8C9B0A1F", i))
}

func token(i int) string { return fmt.Sprintf("ExponentPushToken[%022d]", i) }

// refreshed returns the registration after the refresh.
func refreshed(registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key:          request.Key,
		Token:        request.Token,
		Platform:     request.Platform,
		ProjectID:    request.ProjectID,
		Status:       tokens.Active,
		RegisteredAt: registeredAt,
		UpdatedAt:    now,
		ExpiresAt:    now.Add(ttl).Truncate(time.Second),
	}
}

// before returns the user's registrations before the refresh, all a day old.
func before() []tokens.Registration {
	regs := make([]tokens.Registration, devices)
	for i := range regs {
		regs[i] = refreshed(first)
		regs[i].Key.DeviceID, regs[i].Token = device(i), tokens.MustParseToken(token(i))
		regs[i].UpdatedAt = regs[i].UpdatedAt.Add(-24 * time.Hour)
		regs[i].ExpiresAt = regs[i].ExpiresAt.Add(-24 * time.Hour)
	}
	return regs
}

// answers returns DynamoDB's responses in its wire format.
func answers() map[string][]byte {
	rows := make([]any, devices)
	for i, reg := range before() {
		rows[i] = stored(reg)
	}
	return map[string][]byte{
		"UpdateItem": encode(map[string]any{
			"Attributes":       stored(before()[0]),
			"ConsumedCapacity": map[string]any{"TableName": table, "CapacityUnits": 1},
		}),
		"Query": encode(map[string]any{
			"Items": rows, "Count": devices, "ScannedCount": devices,
			"ConsumedCapacity": map[string]any{"TableName": table, "CapacityUnits": 3},
		}),
	}
}

// stored returns the item of a registration, with the attributes of its claim.
func stored(r tokens.Registration) map[string]any {
	text := func(s string) any { return map[string]string{"S": s} }
	seconds := func(t time.Time) any { return map[string]string{"N": strconv.FormatInt(t.Unix(), 10)} }
	return map[string]any{
		"userId":         text(string(r.Key.UserID)),
		"deviceId":       text(string(r.Key.DeviceID)),
		"expoPushToken":  text(r.Token.Reveal()),
		"platform":       text(string(r.Platform)),
		"projectId":      text(string(r.ProjectID)),
		"isActive":       map[string]bool{"BOOL": true},
		"registeredAt":   text(r.RegisteredAt.Format(timeFormat)),
		"updatedAt":      text(r.UpdatedAt.Format(timeFormat)),
		"expiresAt":      seconds(r.ExpiresAt),
		"claimVersion":   text("k0yA4n0rHjqvDqLdZ2e4bw"),
		"claimExpiresAt": seconds(r.ExpiresAt.Add(30 * 24 * time.Hour)),
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// A transport returns the canned response of the operation of each request.
type transport struct {
	answers map[string][]byte // by operation
	sent    func(operation string, body []byte)
}

// RoundTrip reads the whole request, like a connection.
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

// client returns a client of the SDK with default settings and this transport.
func (t *transport) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:     "us-east-1",
		HTTPClient: &http.Client{Transport: t},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "not a secret"}, nil
		}),
	})
}
