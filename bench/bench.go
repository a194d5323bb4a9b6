// Package bench compares each part of the library with the obvious alternative:
//
//   - httpapi with a handler that decodes, stores and encodes (handler_test.go).
//   - dynamostore with the calls of the AWS SDK that it makes, on canned responses, and
//     on DynamoDB Local with the naive implementation (naive.go).
//   - sqlstore with a plain upsert (sql_test.go).
//
// Benchmarks are named OPERATION/impl=NAME, the alternative first, so that
// benchstat -col /impl shows a column for each. Tests limit allocations, round trips and
// capacity units, but no times.
package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	devices    = 20 // of the user whose list is long: the default limit
	project    = "0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e"
	timeFormat = "2006-01-02T15:04:05.000Z07:00"
	ttl        = 90 * 24 * time.Hour
)

// now is the clock of the measurements without a database.
var now = time.Date(2026, time.November, 23, 9, 26, 53, 589_000_000, time.UTC)

func clock() time.Time { return now }

func userID(n int) tokens.UserID {
	return tokens.UserID(fmt.Sprintf("7c9e6679-7425-40de-944b-%012d", n))
}

func deviceID(n int) tokens.DeviceID {
	return tokens.DeviceID(fmt.Sprintf("%08X-1B4E-4C3D-9A5F-6E7D8C9B0A1F", n))
}

func token(n int) string { return fmt.Sprintf("ExponentPushToken[%022d]", n) }

// request returns a request whose strings are its own, as those of an HTTP request are.
func request(user, device, n int) tokens.Request {
	return tokens.Request{
		Key:   tokens.Key{UserID: userID(user), DeviceID: deviceID(device)},
		Token: tokens.MustParseToken(token(n)), Platform: tokens.IOS, ProjectID: project,
	}
}

// A registrar has the methods of a store.Store that every alternative has.
type registrar interface {
	Register(context.Context, tokens.Request) (store.Result, error)
	List(context.Context, tokens.UserID) ([]tokens.Registration, error)
}

func register(ctx context.Context, s registrar, r tokens.Request, want store.Outcome) error {
	result, err := s.Register(ctx, r)
	if err == nil && result.Outcome != want {
		err = fmt.Errorf("the outcome is %q, want %q", result.Outcome, want)
	}
	return err
}

func list(ctx context.Context, s registrar, user tokens.UserID, want int) error {
	regs, err := s.List(ctx, user)
	if err == nil && len(regs) != want {
		err = fmt.Errorf("%d registrations are listed, want %d", len(regs), want)
	}
	return err
}
