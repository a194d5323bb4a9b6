package dynamostore_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestVersions calls two versions on one table at random, as in a rolling deployment that
// is rolled back now and then, and compares the table with a store in memory. The older
// version is frozen below. It knows the attributes of November 2026 and no others. A later
// version may add attributes, but must not rely on the older one to write them.
func TestVersions(t *testing.T) {
	seeds := map[bool]uint64{false: 2, true: 24}[*long]
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, store.Policy{})
			model, err := memstore.New(w.policy)
			w.do(err)
			random := rand.New(rand.NewPCG(seed, 0))
			for step := range 60 {
				w.now = w.now.Add(time.Duration(random.Int64N(int64(3 * day)))).Truncate(time.Millisecond)
				older := random.IntN(2) == 0
				k := key(pick(random, "alice", "bob"), pick(random, "phone", "tablet"))
				token := pick(random, tokenA, tokenB, tokenC)
				op := pick(random, store.OpDeactivate, store.OpInvalidate, store.OpDelete, store.OpRegister, store.OpRegister, store.OpRegister, store.OpRegister)
				w.do(callOn(model, w, op, k, token))
				if older {
					frozen{w}.call(op, k, token)
				} else {
					w.do(callOn(w.clean, w, op, k, token))
				}
				wantAsIn(w, model, fmt.Sprintf("step %d, %s, by the older version: %v", step, op, older))
			}
		})
	}
}

func callOn(s store.Store, w *world, op store.Operation, key tokens.Key, token tokens.Token) error {
	switch op {
	case store.OpDeactivate:
		return s.Deactivate(w.Context(), key)
	case store.OpInvalidate:
		return s.Invalidate(w.Context(), key, token.Hash(), w.now)
	case store.OpDelete:
		return s.Delete(w.Context(), key)
	}
	_, err := s.Register(w.Context(), requestFor(key, token))
	return err
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// wantAsIn compares the registrations with the model, and checks that they hold their claims.
func wantAsIn(w *world, model store.Store, what string) {
	w.Helper()
	for _, user := range []tokens.UserID{"alice", "bob"} {
		want, err1 := store.Inspect(w.Context(), model, user)
		got, err2 := w.clean.Inspect(w.Context(), user)
		w.do(err1)
		w.do(err2)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Fatalf("%s: %s (-want +got):\n%s", what, user, diff)
		}
	}
	w.check()
}

// frozen makes the writes of November 2026, and keeps attributes that it does not know. It
// shares no code with the package. Do not update it with the package.
type frozen struct{ *world }

const frozenTTL = 90 * day

func epoch(t time.Time) types.AttributeValue { return num(strconv.FormatInt(t.Unix(), 10)) }

func frozenClaim(token string) tokens.Key {
	hash := tokens.MustParseToken(token).Hash()
	return key("#claim#1#"+base64.RawURLEncoding.EncodeToString(hash[:]), "#")
}

func (f frozen) call(op store.Operation, key tokens.Key, token tokens.Token) {
	f.look()
	row := f.at(key)
	active, ok := row["isActive"].(*types.AttributeValueMemberBOOL)
	isActive := ok && active.Value
	reason := "logout"
	switch {
	case op == store.OpRegister:
		f.register(row, key, token)
		return
	case op == store.OpDelete && row != nil:
		f.remove(row)
		f.release(key, text(row, "expoPushToken"))
		return
	case op == store.OpInvalidate:
		reason = "device_not_registered"
		updatedAt, _ := time.Parse(time.RFC3339Nano, text(row, "updatedAt"))
		isActive = isActive && text(row, "expoPushToken") == token.Reveal() && !updatedAt.After(f.now.Add(-5*time.Minute))
	}
	if isActive {
		f.put(with(row, dynamotest.Item{"isActive": boolean(false), "inactiveReason": str(reason)}))
	}
}

func (f frozen) register(row dynamotest.Item, key tokens.Key, token tokens.Token) {
	expiresAt := f.now.Add(frozenTTL)
	next := with(with(keyItem(key), row), dynamotest.Item{
		"expoPushToken": str(token.Reveal()), "platform": str("ios"), "updatedAt": instant(f.now), "expiresAt": epoch(expiresAt),
		"isActive": boolean(true), "registeredAt": instant(f.now), "inactiveReason": nil, "projectId": nil,
	})
	old := text(row, "expoPushToken")
	if row != nil && number(row, "expiresAt") > f.now.Unix() {
		next["registeredAt"] = row["registeredAt"]
		if old == token.Reveal() && number(row, "claimExpiresAt") >= expiresAt.Add(day).Unix() {
			f.put(next)
			return
		}
	}
	claim := frozenClaim(token.Reveal())
	if holder := ownerOf(f.at(claim)); holder != key && text(f.at(holder), "expoPushToken") == token.Reveal() {
		f.remove(keyItem(holder))
	}
	if old != "" && old != token.Reveal() {
		f.release(key, old)
	}
	version, claimExpiresAt := str(fmt.Sprint("frozen ", f.now.UnixNano())), epoch(expiresAt.Add(30*day))
	f.put(with(next, dynamotest.Item{"claimVersion": version, "claimExpiresAt": claimExpiresAt}), with(keyItem(claim), dynamotest.Item{
		"ownerUserId": str(string(key.UserID)), "ownerDeviceId": str(string(key.DeviceID)), "version": version, "expiresAt": claimExpiresAt,
	}))
}

// release removes the claim on the token if it is the owner's.
func (f frozen) release(owner tokens.Key, token string) {
	if claim := f.at(frozenClaim(token)); ownerOf(claim) == owner {
		f.remove(claim)
	}
}
