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

// TestVersions plays random calls of two versions on one table, as in a rolling
// deployment that is rolled back now and then, beside a store in memory. The older
// version is frozen below: it knows the attributes of November 2026 and no others.
// A later version may add attributes. It must not rely on the older one to write
// them.
func TestVersions(t *testing.T) {
	seeds := uint64(2)
	if *long {
		seeds = 24
	}
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			w := newWorld(t, store.Policy{})
			model, err := memstore.New(w.policy)
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(seed, 0))
			for step := range 60 {
				w.now = w.now.Add(time.Duration(random.Int64N(int64(3 * day)))).Truncate(time.Millisecond)
				var version versioned = current{w.clean}
				if random.IntN(2) == 0 {
					version = frozen{w}
				}
				k := key(pick(random, "alice", "bob"), pick(random, "phone", "tablet"))
				token := pick(random, tokenA, tokenB, tokenC)
				var what string
				switch random.IntN(10) {
				case 0:
					what = "deactivate"
					version.deactivate(w, k)
					w.do(model.Deactivate(t.Context(), k))
				case 1:
					what = "invalidate"
					version.invalidate(w, k, token)
					w.do(model.Invalidate(t.Context(), k, token.Hash(), w.now))
				case 2:
					what = "delete"
					version.delete(w, k)
					w.do(model.Delete(t.Context(), k))
				default:
					what = "register"
					version.register(w, k, token)
					_, err := model.Register(t.Context(), requestFor(k, token))
					w.do(err)
				}
				wantAsIn(w, model, fmt.Sprintf("step %d, %s by %T", step, what, version))
			}
		})
	}
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// wantAsIn compares everything that the current version reads with the model.
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
	for _, token := range []tokens.Token{tokenA, tokenB, tokenC} {
		want, wantErr := model.Holder(w.Context(), token.Hash())
		got, gotErr := w.clean.Holder(w.Context(), token.Hash())
		if diff := cmp.Diff(want, got); diff != "" || store.OutcomeOf(wantErr) != store.OutcomeOf(gotErr) {
			w.Fatalf("%s: the holder of %v: want error %v, got error %v (-want +got):\n%s", what, token, wantErr, gotErr, diff)
		}
	}
	w.check()
}

// A versioned is what a version of the store does when it is called alone.
type versioned interface {
	register(w *world, key tokens.Key, token tokens.Token)
	deactivate(w *world, key tokens.Key)
	invalidate(w *world, key tokens.Key, token tokens.Token)
	delete(w *world, key tokens.Key)
}

type current struct{ store.Store }

func (c current) register(w *world, key tokens.Key, token tokens.Token) {
	_, err := c.Register(w.Context(), requestFor(key, token))
	w.do(err)
}
func (c current) deactivate(w *world, key tokens.Key) { w.do(c.Deactivate(w.Context(), key)) }
func (c current) invalidate(w *world, key tokens.Key, token tokens.Token) {
	w.do(c.Invalidate(w.Context(), key, token.Hash(), w.now))
}
func (c current) delete(w *world, key tokens.Key) { w.do(c.Delete(w.Context(), key)) }

// frozen makes the writes of November 2026. It shares no code with the package
// that it is compared with; do not update it with the package.
type frozen struct{ w *world }

const frozenTTL = 90 * day

func epoch(t time.Time) types.AttributeValue { return num(strconv.FormatInt(t.Unix(), 10)) }

func (f frozen) claim(token string) dynamotest.Item {
	hash := tokens.MustParseToken(token).Hash()
	return keyItem(key("#claim#1#"+base64.RawURLEncoding.EncodeToString(hash[:]), "#"))
}

func (f frozen) get(key dynamotest.Item) dynamotest.Item {
	out, err := f.w.client.GetItem(f.w.Context(), &dynamodb.GetItemInput{TableName: &f.w.table, Key: key})
	f.w.do(err)
	return out.Item
}

func (f frozen) update(key dynamotest.Item, expression string, values dynamotest.Item) {
	_, err := f.w.client.UpdateItem(f.w.Context(), &dynamodb.UpdateItemInput{
		TableName: &f.w.table, Key: key, UpdateExpression: &expression, ExpressionAttributeValues: values,
	})
	f.w.do(err)
}

func (f frozen) register(w *world, key tokens.Key, token tokens.Token) {
	row := f.get(keyItem(key))
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
	claim["ownerUserId"], claim["ownerDeviceId"], claim["version"], claim["expiresAt"] = str(string(key.UserID)), str(string(key.DeviceID)), str(version), claimExpiresAt
	w.put(claim)
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

func (f frozen) mark(key tokens.Key, reason string) {
	f.update(keyItem(key), "SET isActive = :a, inactiveReason = :r", dynamotest.Item{
		":a": boolean(false), ":r": str(reason),
	})
}

// active returns the row under the key if it is active.
func (f frozen) active(key tokens.Key) dynamotest.Item {
	row := f.get(keyItem(key))
	if active, _ := row["isActive"].(*types.AttributeValueMemberBOOL); active == nil || !active.Value {
		return nil
	}
	return row
}

func (f frozen) deactivate(_ *world, key tokens.Key) {
	if f.active(key) != nil {
		f.mark(key, "logout")
	}
}

func (f frozen) invalidate(w *world, key tokens.Key, token tokens.Token) {
	row := f.active(key)
	if row == nil || text(row, "expoPushToken") != token.Reveal() {
		return
	}
	updatedAt, err := time.Parse(time.RFC3339Nano, text(row, "updatedAt"))
	w.do(err)
	if !updatedAt.After(w.now.Add(-5 * time.Minute)) {
		f.mark(key, "device_not_registered")
	}
}

func (f frozen) delete(w *world, key tokens.Key) {
	row := f.get(keyItem(key))
	if row == nil {
		return
	}
	w.remove(keyItem(key))
	f.release(key, text(row, "expoPushToken"))
}
