package dynamostore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A corruption is an attribute of a row with a value that this package does not write. nil
// removes it.
type corruption struct {
	attribute string
	value     types.AttributeValue
	harmless  bool // the row can be decoded
}

func corruptions() []corruption {
	text, number, truth := str("nonsense"), num("12"), boolean(true)
	var all []corruption
	add := func(harmless bool, values map[string][]types.AttributeValue) {
		for attribute, values := range values {
			if *long {
				values = append(values, &types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberM{Value: dynamotest.Item{}})
			}
			for _, v := range values {
				all = append(all, corruption{attribute, v, harmless})
			}
		}
	}
	add(false, map[string][]types.AttributeValue{
		"expoPushToken": {nil, str("ExponentPushToken[]"), number, truth},
		"platform":      {nil, str("windows"), number, truth},
		"projectId":     {str(strings.Repeat("p", 65)), number, truth},
		"registeredAt":  {str("yesterday"), str("2020-01-02T03:04:05+02:00"), number, truth},
		"updatedAt":     {str("2020-13-02T03:04:05Z"), number, truth},
		"isActive":      {text, number},
		"expiresAt":     {num("4102444800.5"), num("253402300800"), text, truth}, // the second is after the year 9999
	})
	add(true, map[string][]types.AttributeValue{
		"claimVersion":   {nil, number, truth}, // only Register reads the attributes of the claim
		"claimExpiresAt": {nil, text, truth},
		"inactiveReason": {str("boredom"), number, truth}, // is not read, because the row is active
	})
	noTime := str("0001-01-01T00:00:00.000Z")
	return append(all,
		corruption{"registeredAt", nil, true}, corruption{"registeredAt", str(""), true}, corruption{"registeredAt", noTime, true},
		corruption{"updatedAt", nil, true}, corruption{"isActive", nil, true})
}

func (c corruption) String() string { return fmt.Sprintf("%s as %T", c.attribute, c.value) }

// TestCorruptRows calls every method on a registration with one corrupt attribute.
func TestCorruptRows(t *testing.T) {
	for _, c := range corruptions() {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, store.Policy{})
			w.register(alice, tokenA)
			w.register(tablet, tokenB)
			w.look()
			w.put(with(w.at(alice), dynamotest.Item{c.attribute: c.value}))
			w.look()
			given := *w
			var event store.Event
			s := w.through(nil, &event)
			c.reads(w, s, &event)
			c.marks(w, s)
			for _, token := range []tokens.Token{tokenA, tokenC} {
				w.look()
				w.load(given)
				c.registers(w, s, token, &event)
			}
			w.do(s.Delete(t.Context(), alice))
			w.look()
			w.empty(alice)
			w.load(given)
			w.do(s.DeleteUser(t.Context(), "alice"))
			w.look()
			w.empty(alice, tablet)
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
	equal(w, "List", devices, keysOf(regs))
	equal(w, "Event.Corrupt of List", corrupt, event.Corrupt)

	_, err = s.Holder(w.Context(), tokenA.Hash())
	if c.attribute == "expoPushToken" {
		sentinels(w, err, store.ErrNotFound)
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
	if !errors.As(err, &corrupt) || corrupt.Key != alice || !strings.Contains(err.Error(), c.attribute) {
		w.Fatalf("%s: the error is %v, want a CorruptError of %v that names %s", what, err, alice, c.attribute)
	}
	var invalid *tokens.InvalidError
	if errors.As(err, &invalid) {
		w.Errorf("%s: the error %v is that of an invalid argument", what, err)
	}
	discreet(w, err)
	if value, ok := c.value.(*types.AttributeValueMemberS); ok && strings.Contains(err.Error(), value.Value) {
		w.Errorf("%s: the text %q has a stored value", what, err)
	}
	equal(w, what+": Event.Outcome", "corrupt", event.Outcome)
}

func (c corruption) marks(w *world, s store.Store) {
	w.do(s.Invalidate(w.Context(), alice, tokenA.Hash(), w.now))
	w.do(s.Deactivate(w.Context(), alice))
	regs, err := s.List(w.Context(), "alice")
	w.do(err)
	equal(w, "List after Deactivate", []tokens.Key{tablet}, keysOf(regs))
}

// registers checks that Register overwrites the row, that no remaining attribute hides
// the registration, and that it holds the claim on the token.
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
	if c.attribute != "claimVersion" || !token.Equal(tokenA) {
		w.check()
	} else {
		w.look() // a refresh does not read the version of the claim, and leaves it
	}
	w.holds(alice, token)
}
