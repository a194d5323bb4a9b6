package dynamostore_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestLegacyRows reads rows of the earlier service. Register gives them an expiry and a
// claim.
func TestLegacyRows(t *testing.T) {
	type registration = tokens.Registration
	registeredAt, updatedAt := time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.UTC), time.Date(2020, 6, 7, 8, 9, 10, 11e6, time.UTC)
	for name, tt := range map[string]struct {
		changes dynamotest.Item
		want    registration // without the attributes that all have
	}{
		"active":   {nil, registration{Status: tokens.Active, RegisteredAt: registeredAt, UpdatedAt: updatedAt}},
		"no times": {dynamotest.Item{"isActive": nil, "registeredAt": nil, "updatedAt": nil}, registration{Status: tokens.Active}},
		"inactive": {dynamotest.Item{"isActive": boolean(false)},
			registration{Status: tokens.Inactive, RegisteredAt: registeredAt, UpdatedAt: updatedAt}},
		"logged out": {dynamotest.Item{"isActive": boolean(false), "inactiveReason": str("logout"), "projectId": str("p")},
			registration{Status: tokens.LoggedOut, RegisteredAt: registeredAt, UpdatedAt: updatedAt, ProjectID: "p"}},
		"an unknown reason, and whole seconds": {
			dynamotest.Item{"isActive": boolean(false), "inactiveReason": str("boredom"), "updatedAt": str("2020-06-07T08:09:10Z")},
			registration{Status: tokens.Inactive, RegisteredAt: registeredAt, UpdatedAt: updatedAt.Truncate(time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, store.Policy{})
			old := with(legacyRow(alice, tokenA), tt.changes)
			w.put(old)
			want := tt.want
			want.Key, want.Token, want.Platform = alice, tokenA, tokens.IOS
			got, err := w.clean.Get(t.Context(), alice)
			w.do(err)
			equal(t, "Get", want, got)
			listed, err := w.clean.List(t.Context(), "alice")
			w.do(err)
			if want.Active() {
				equal(t, "List", []tokens.Registration{want}, listed)
			} else {
				equal(t, "List", 0, len(listed))
			}
			_, err = w.clean.Holder(t.Context(), tokenA.Hash())
			sentinels(t, err, store.ErrNotFound)

			result := w.register(alice, tokenA)
			if want.RegisteredAt.IsZero() {
				want.RegisteredAt = w.now
			}
			want.Status, want.ProjectID = tokens.Active, ""
			want.UpdatedAt, want.ExpiresAt = w.now, w.now.Add(store.DefaultTTL).Truncate(time.Second)
			equal(t, "Register", store.Result{Registration: want, Outcome: store.Refreshed}, result)
			w.check()
			holder := w.holder(tokenA)
			equal(t, "Holder", want, holder)
			if old["registeredAt"] != nil {
				equal(t, "the text of registeredAt", text(old, "registeredAt"), text(w.at(alice), "registeredAt"))
			}
		})
	}
}

// TestLegacyRowsWithOneToken moves a token to a new device of a user who has two rows
// with it. Another user's row stays, because it has no claim until it is upgraded.
func TestLegacyRowsWithOneToken(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.put(legacyRow(tablet, tokenA), legacyRow(watch, respelt), legacyRow(bob, tokenA))
	result := w.register(alice, tokenA)
	equal(t, "outcome", store.Created, result.Outcome)
	equal(t, "evicted", 0, len(result.Evicted))
	w.check()
	w.holds(alice, tokenA)
	w.empty(tablet, watch)
	w.holds(bob, tokenA)
}

// TestForeignAttributesSurvive makes every write except a removal on a row with
// attributes that this package does not know.
func TestForeignAttributesSurvive(t *testing.T) {
	foreign := dynamotest.Item{
		"badge":  num("7"),
		"topics": &types.AttributeValueMemberSS{Value: []string{"news"}},
		"device": &types.AttributeValueMemberM{Value: dynamotest.Item{"model": str("x")}},
	}
	w := newWorld(t, store.Policy{})
	w.put(with(legacyRow(alice, tokenA), foreign))
	for _, write := range []struct {
		name string
		do   func(*world)
	}{
		{"a row of the earlier service is registered", has(alice, tokenA)},
		{"refreshed", has(alice, respelt)},
		{"replaced", has(alice, tokenB)},
		{"deactivated", loggedOut(alice)},
		{"reactivated", has(alice, tokenB)},
		{"the claim is renewed", both(later(29*day+time.Second), has(alice, tokenB))},
		{"invalidated", func(w *world) {
			w.do(w.clean.Invalidate(t.Context(), alice, tokenB.Hash(), w.now.Add(time.Hour)))
		}},
		{"created over an expired row", both(later(90*day), has(alice, tokenB))},
		{"moved", both(has(bob, tokenC), has(alice, tokenC))},
	} {
		write.do(w)
		w.check()
		for name, value := range foreign {
			equal(t, write.name, dynamotest.ItemJSON(dynamotest.Item{name: value}), dynamotest.ItemJSON(dynamotest.Item{name: w.at(alice)[name]}))
		}
	}
}
