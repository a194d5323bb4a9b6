package dynamostore_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A corruption is one attribute of a row with a value that this package never writes;
// without the attribute if the value is nil.
type corruption struct {
	name      string
	attribute string
	value     types.AttributeValue
	harmless  bool // the row can be read all the same
}

func corruptions() []corruption {
	var all []corruption
	wrongTypes := map[string]types.AttributeValue{
		"S":    str("nonsense"),
		"N":    num("12"),
		"BOOL": boolean(true),
		"NULL": &types.AttributeValueMemberNULL{Value: true},
		"M":    &types.AttributeValueMemberM{Value: dynamotest.Item{"nonsense": str("nonsense")}},
	}
	for attribute, right := range map[string]string{
		"expoPushToken": "S", "platform": "S", "projectId": "S", "registeredAt": "S", "updatedAt": "S",
		"isActive": "BOOL", "inactiveReason": "S", "expiresAt": "N", "claimExpiresAt": "N", "claimVersion": "S",
	} {
		// Of an active row the reason is not looked at, nor is what only
		// Register needs.
		harmless := attribute == "inactiveReason" || strings.HasPrefix(attribute, "claim")
		for kind, value := range wrongTypes {
			if kind != right {
				all = append(all, corruption{attribute + " of type " + kind, attribute, value, harmless})
			}
		}
	}
	return append(all,
		corruption{"token missing", "expoPushToken", nil, false},
		corruption{"token malformed", "expoPushToken", str("ExponentPushToken[]"), false},
		corruption{"platform missing", "platform", nil, false},
		corruption{"platform unknown", "platform", str("windows"), false},
		corruption{"project too long", "projectId", str(strings.Repeat("p", 65)), false},
		corruption{"registeredAt not a time", "registeredAt", str("yesterday"), false},
		corruption{"registeredAt not in UTC", "registeredAt", str("2020-01-02T03:04:05+02:00"), false},
		corruption{"registeredAt missing", "registeredAt", nil, true},
		corruption{"updatedAt not a time", "updatedAt", str("2020-13-02T03:04:05Z"), false},
		corruption{"updatedAt missing", "updatedAt", nil, true},
		corruption{"expiresAt not whole", "expiresAt", num("4102444800.5"), false},
		corruption{"expiresAt after the year 9999", "expiresAt", num("253402300800"), false},
		corruption{"isActive missing", "isActive", nil, true},
		corruption{"claimVersion missing", "claimVersion", nil, true},
		corruption{"claimExpiresAt missing", "claimExpiresAt", nil, true},
		corruption{"reason unknown", "inactiveReason", str("boredom"), true},
	)
}

// TestCorruptRows calls every method on a registration of which one attribute is
// wrong.
func TestCorruptRows(t *testing.T) {
	client := dynamotest.Client(t, nil)
	for _, c := range corruptions() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := worldOn(t, client, dynamotest.Table(t, client), store.Policy{})
			w.register(alice, tokenA)
			w.register(tablet, tokenB)
			w.look()
			bad := maps.Clone(w.at(alice))
			if bad[c.attribute] = c.value; c.value == nil {
				delete(bad, c.attribute)
			}
			w.put(bad)
			w.look()
			var event store.Event
			s := w.through(nil, func(e store.Event) { event = e })
			c.reads(w, s, &event)
			c.marks(w, s)
			for _, token := range []tokens.Token{tokenA, tokenC} {
				c.registers(w, s, token, &event)
			}
			c.erases(w, s)
		})
	}
}

func (c corruption) reads(w *world, s store.Store, event *store.Event) {
	reg, err := s.Get(w.Context(), alice)
	c.wantCorrupt(w, "Get", err, event)
	if err == nil && reg.Key != alice {
		w.Errorf("Get: got %v", reg)
	}

	regs, err := s.List(w.Context(), "alice")
	w.do(err)
	devices, corrupt := []tokens.Key{tablet}, []tokens.Key{alice}
	if c.harmless {
		devices, corrupt = []tokens.Key{alice, tablet}, nil
	}
	var got []tokens.Key
	for _, reg := range regs {
		got = append(got, reg.Key)
	}
	equal(w, "List", devices, got)
	equal(w, "Event.Corrupt of List", corrupt, event.Corrupt)

	_, err = s.Holder(w.Context(), tokenA.Hash())
	if c.attribute == "expoPushToken" {
		if !errors.Is(err, store.ErrNotFound) {
			w.Errorf("Holder: %v, want ErrNotFound", err)
		}
	} else {
		c.wantCorrupt(w, "Holder", err, event)
	}
}

func (c corruption) wantCorrupt(w *world, what string, err error, event *store.Event) {
	w.Helper()
	if c.harmless {
		w.do(err)
		return
	}
	var corrupt *store.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Key != alice {
		w.Fatalf("%s: the error is %v, want a CorruptError of %v", what, err, alice)
	}
	var invalid *tokens.InvalidError
	if errors.As(err, &invalid) {
		w.Errorf("%s: the error %v is that of a bad argument", what, err)
	}
	discreet(w, err)
	if strings.Contains(err.Error(), "nonsense") {
		w.Errorf("%s: the text %q has a stored value", what, err)
	}
	equal(w, what+": Event.Outcome", "corrupt", event.Outcome)
}

// marks checks that marking never leaves the row active.
func (c corruption) marks(w *world, s store.Store) {
	w.do(s.Invalidate(w.Context(), alice, tokenA.Hash(), w.now))
	w.do(s.Deactivate(w.Context(), alice))
	regs, err := s.List(w.Context(), "alice")
	w.do(err)
	equal(w, "List after Deactivate", 1, len(regs))
	w.restore()
}

// registers checks that Register overwrites the row, that no remaining attribute hides
// the registration, and that the token's claim is held again.
func (c corruption) registers(w *world, s store.Store, token tokens.Token, event *store.Event) {
	result, err := s.Register(w.Context(), requestFor(alice, token))
	w.do(err)
	want, corrupt := store.Created, []tokens.Key{alice}
	if c.harmless {
		want, corrupt = store.Refreshed, nil
		if token.Equal(tokenC) {
			want = store.Replaced
		}
	}
	what := fmt.Sprintf("Register of %v", token)
	equal(w, what, want, result.Outcome)
	equal(w, what+": Event.Corrupt", corrupt, event.Corrupt)
	stored, err := s.Get(w.Context(), alice)
	w.do(err)
	equal(w, what+" and Get", result.Registration, stored)
	before := w.items
	w.look()
	// A refresh does not look at the version of the claim, which it holds.
	if c.attribute != "claimVersion" || !token.Equal(tokenA) {
		w.intact()
	}
	w.holds(alice, token)
	w.clear()
	w.items = before
	w.restore()
}

func (c corruption) erases(w *world, s store.Store) {
	before := w.items
	w.do(s.Delete(w.Context(), alice))
	w.look()
	w.empty(alice)
	w.items = before
	w.restore()
	w.do(s.DeleteUser(w.Context(), "alice"))
	w.look()
	w.empty(alice)
	w.empty(tablet)
}

// TestCorruptRowsAndTheDeviceLimit registers over an undecodable row, which does
// not count for the limit, after another device has taken its place: the oldest
// device goes, as for any new device.
func TestCorruptRowsAndTheDeviceLimit(t *testing.T) {
	client := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, client)
	for _, c := range corruptions() {
		if c.harmless {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			w := worldOn(t, client, table, store.Policy{MaxDevices: 2})
			w.register(tablet, tokenB)
			w.now = w.now.Add(time.Minute)
			w.register(alice, tokenA)
			w.look()
			bad := maps.Clone(w.at(alice))
			if bad[c.attribute] = c.value; c.value == nil {
				delete(bad, c.attribute)
			}
			w.put(bad)
			w.register(watch, tokenC)
			result := w.register(alice, tokenA)
			equal(t, "outcome", store.Created, result.Outcome)
			equal(t, "evicted", []tokens.Key{tablet}, result.Evicted)
			regs, err := w.clean.List(t.Context(), "alice")
			w.do(err)
			var got []tokens.Key
			for _, r := range regs {
				got = append(got, r.Key)
			}
			equal(t, "List", []tokens.Key{alice, watch}, got)
			stored, err := w.clean.Get(t.Context(), alice)
			w.do(err)
			equal(t, "Get", result.Registration, stored)
			w.look()
			w.intact()
			w.clear()
		})
	}
}

// TestEmptyRegisteredAt registers over a row that has a registeredAt without a
// time in it: what Register returns is what Get returns.
func TestEmptyRegisteredAt(t *testing.T) {
	for _, registeredAt := range []string{"", "0001-01-01T00:00:00.000Z"} {
		for _, token := range []tokens.Token{tokenA, tokenB} {
			w := newWorld(t, store.Policy{})
			w.register(alice, tokenA)
			w.look()
			i := maps.Clone(w.at(alice))
			i["registeredAt"] = str(registeredAt)
			w.put(i)
			result := w.register(alice, token)
			stored, err := w.clean.Get(t.Context(), alice)
			w.do(err)
			equal(t, fmt.Sprintf("registeredAt %q, %v", registeredAt, token), result.Registration, stored)
		}
	}
}
