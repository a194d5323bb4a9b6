package dynamostore_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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
	seeds := uint64(2)
	if *long {
		seeds = 24
	}
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

// frozen makes the writes of November 2026. It shares no code with the package. Do not
// update it with the package.
type frozen struct{ w *world }

const frozenTTL = 90 * day

func epoch(t time.Time) types.AttributeValue { return num(strconv.FormatInt(t.Unix(), 10)) }

func (f frozen) claim(token string) dynamotest.Item {
	hash := tokens.MustParseToken(token).Hash()
	return keyItem(key("#claim#1#"+base64.RawURLEncoding.EncodeToString(hash[:]), "#"))
}

func (f frozen) get(i dynamotest.Item) dynamotest.Item {
	f.w.look()
	return f.w.at(keyOf(i))
}

func (f frozen) update(key dynamotest.Item, expression string, values dynamotest.Item) {
	_, err := f.w.client.UpdateItem(f.w.Context(), &dynamodb.UpdateItemInput{
		TableName: &f.w.table, Key: key, UpdateExpression: &expression, ExpressionAttributeValues: values,
	})
	f.w.do(err)
}

func (f frozen) register(row dynamotest.Item, key tokens.Key, token tokens.Token) {
	w := f.w
	live := row != nil && number(row, "expiresAt") > w.now.Unix()
	expiresAt := w.now.Add(frozenTTL)
	update := "SET expoPushToken = :t, platform = :p, updatedAt = :u, expiresAt = :e, isActive = :a, registeredAt = :r"
	registered := w.now.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	values := dynamotest.Item{
		":t": str(token.Reveal()), ":p": str("ios"), ":u": str(registered), ":e": epoch(expiresAt),
		":a": boolean(true), ":r": str(registered),
	}
	if live {
		values[":r"] = row["registeredAt"]
	}
	if live && text(row, "expoPushToken") == token.Reveal() && number(row, "claimExpiresAt") >= expiresAt.Add(day).Unix() {
		f.update(keyItem(key), update+" REMOVE inactiveReason, projectId", values)
		return
	}
	claim := f.claim(token.Reveal())
	owner := f.get(claim)
	if holder := ownerOf(owner); owner != nil && holder != key &&
		text(f.get(keyItem(holder)), "expoPushToken") == token.Reveal() {
		w.remove(keyItem(holder))
	}
	if old := text(row, "expoPushToken"); old != "" && old != token.Reveal() {
		f.release(key, old)
	}
	version := "frozen " + strconv.FormatInt(w.now.UnixNano(), 10)
	claimExpiresAt := epoch(expiresAt.Add(30 * day))
	w.put(with(claim, dynamotest.Item{
		"ownerUserId": str(string(key.UserID)), "ownerDeviceId": str(string(key.DeviceID)), "version": str(version), "expiresAt": claimExpiresAt,
	}))
	values[":v"], values[":c"] = str(version), claimExpiresAt
	f.update(keyItem(key), update+", claimVersion = :v, claimExpiresAt = :c REMOVE inactiveReason, projectId", values)
}

// release removes the claim on the token if it is the key's.
func (f frozen) release(owner tokens.Key, token string) {
	claim := f.get(f.claim(token))
	if ownerOf(claim) == owner {
		f.w.remove(f.claim(token))
	}
}

func (f frozen) call(op store.Operation, key tokens.Key, token tokens.Token) {
	row := f.get(keyItem(key))
	active, ok := row["isActive"].(*types.AttributeValueMemberBOOL)
	isActive := ok && active.Value
	reason := "logout"
	switch {
	case op == store.OpRegister:
		f.register(row, key, token)
		return
	case op == store.OpDelete && row != nil:
		f.w.remove(row)
		f.release(key, text(row, "expoPushToken"))
		return
	case op == store.OpInvalidate:
		reason = "device_not_registered"
		updatedAt, _ := time.Parse(time.RFC3339Nano, text(row, "updatedAt"))
		isActive = isActive && text(row, "expoPushToken") == token.Reveal() && !updatedAt.After(f.w.now.Add(-5*time.Minute))
	}
	if isActive {
		f.update(keyItem(key), "SET isActive = :a, inactiveReason = :r", dynamotest.Item{":a": boolean(false), ":r": str(reason)})
	}
}
