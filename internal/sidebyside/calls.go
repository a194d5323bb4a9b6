package sidebyside

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// The arguments of the calls. The last of each list is invalid.
var (
	users     = []tokens.UserID{"alice", "bob", "#claim#1#"}
	devices   = []tokens.DeviceID{"a", "b", "c", "d", "#", ""}
	projects  = []tokens.ProjectID{"", "@acme/app", "\x00"}
	platforms = []tokens.Platform{tokens.IOS, tokens.Android, "web"}
)

const tokenCount = 5

// spelled returns one of the three spellings of the n-th token.
func spelled(n, spelling int) tokens.Token {
	id := fmt.Sprintf("5pe11ed0-0000-0000-0000-%012d", n)
	return tokens.MustParseToken([]string{"ExponentPushToken[" + id + "]", "ExpoPushToken[" + id + "]", id}[spelling])
}

// valid draws one of the values, and seldom the last, which is invalid.
func valid[V any](t *rapid.T, name string, values []V) V {
	last := len(values) - 1
	if seldom(t, "invalid "+name) {
		return values[last]
	}
	return rapid.SampledFrom(values[:last]).Draw(t, name)
}

// seldom is true about once in a hundred times: rapid draws small numbers and the
// ends of a range more often than others.
func seldom(t *rapid.T, what string) bool { return rapid.IntRange(0, 31).Draw(t, what) == 21 }

func drawKey(t *rapid.T) tokens.Key {
	return tokens.Key{UserID: valid(t, "user", users), DeviceID: valid(t, "device", devices)}
}

func drawToken(t *rapid.T) tokens.Token {
	n := rapid.IntRange(0, tokenCount-1).Draw(t, "token")
	return valid(t, "spelling", []tokens.Token{spelled(n, 0), spelled(n, 1), spelled(n, 2), {}})
}

// steps are the names of the actions, each as often as it is wanted.
var steps = []string{
	"Register", "Register", "Register", "Register", "Register", "Register", "Register", "Register",
	"Deactivate", "Deactivate", "Invalidate", "InvalidateToken", "InvalidateToken", "Delete", "DeleteUser",
	"Get", "Holder", "List", "List",
	"the clock goes on", "the clock goes on", "the clock goes on", "the clock goes back", "TTL removes an item", "TTL removes an item",
}

func (m *machine) act() func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"Register": m.register,
		"Get": func(t *rapid.T) {
			key := drawKey(t)
			_, _ = m.same(t, func(ctx context.Context, s store.Store) (any, error) { return s.Get(ctx, key) })
		},
		"List": func(t *rapid.T) {
			user := valid(t, "user", users)
			_, _ = m.same(t, func(ctx context.Context, s store.Store) (any, error) {
				regs, err := s.List(ctx, user)
				return slices.Clip(append([]tokens.Registration{}, regs...)), err // none may be nil or empty
			})
		},
		"Holder": func(t *rapid.T) {
			token := drawToken(t)
			_, _ = m.same(t, func(ctx context.Context, s store.Store) (any, error) { return s.Holder(ctx, token.Hash()) })
		},
		"Deactivate": func(t *rapid.T) {
			key := drawKey(t)
			m.removal(t, func(ctx context.Context, s store.Store) error { return s.Deactivate(ctx, key) })
		},
		"Invalidate": func(t *rapid.T) {
			key, token, sentAt := drawKey(t), drawToken(t), m.drawSentAt(t)
			m.removal(t, func(ctx context.Context, s store.Store) error { return s.Invalidate(ctx, key, token.Hash(), sentAt) })
		},
		"InvalidateToken": func(t *rapid.T) {
			token, sentAt := drawToken(t), m.drawSentAt(t)
			m.removal(t, func(ctx context.Context, s store.Store) error { return store.InvalidateToken(ctx, s, token, sentAt) })
		},
		"Delete": func(t *rapid.T) {
			key := drawKey(t)
			m.removal(t, func(ctx context.Context, s store.Store) error { return s.Delete(ctx, key) })
		},
		"DeleteUser": func(t *rapid.T) {
			user := valid(t, "user", users)
			m.removal(t, func(ctx context.Context, s store.Store) error { return s.DeleteUser(ctx, user) })
		},
		"the clock goes on": func(t *rapid.T) {
			m.step(rapid.SampledFrom([]time.Duration{
				time.Second, time.Millisecond, store.ClockSkew, time.Hour, policy.TTL / 3, policy.TTL / 2, policy.TTL, 3 * policy.TTL,
			}).Draw(t, "by"))
		},
		"the clock goes back": func(t *rapid.T) {
			m.step(-rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, store.ClockSkew, time.Hour}).Draw(t, "by"))
		},
		"TTL removes an item": func(t *rapid.T) {
			expired := m.subject.Expired(m.now)
			if len(expired) == 0 {
				t.Skip("nothing is expired")
			}
			rapid.SampledFrom(expired).Draw(t, "item")()
		},
	}
	return func(t *rapid.T) {
		actions[rapid.SampledFrom(steps).Draw(t, "step")](t)
	}
}

func (m *machine) register(t *rapid.T) {
	req := tokens.Request{
		Key: drawKey(t), Token: drawToken(t), Platform: valid(t, "platform", platforms), ProjectID: valid(t, "project", projects),
	}
	answer, err := m.same(t, func(ctx context.Context, s store.Store) (any, error) { return s.Register(ctx, req) })
	if err == nil {
		m.expiries = append(m.expiries, answer.(store.Result).Registration.ExpiresAt)
	}
}

func (m *machine) removal(t *rapid.T, call func(context.Context, store.Store) error) {
	_, _ = m.same(t, func(ctx context.Context, s store.Store) (any, error) { return nil, call(ctx, s) })
}

// drawSentAt draws a time around that of the last registrations and the skew.
func (m *machine) drawSentAt(t *rapid.T) time.Time {
	ago := rapid.SampledFrom([]time.Duration{
		0, -store.ClockSkew, store.ClockSkew, store.ClockSkew - time.Millisecond, store.ClockSkew + time.Millisecond, time.Hour,
	}).Draw(t, "sent ago")
	return valid(t, "sentAt", []time.Time{m.now.Add(-ago), {}})
}
