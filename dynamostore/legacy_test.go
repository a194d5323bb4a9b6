package dynamostore_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestLegacyRows reads rows as the earlier service wrote them, and has them
// registered again, which gives them an expiry and a claim.
func TestLegacyRows(t *testing.T) {
	read := tokens.Registration{
		Key: alice, Token: tokenA, Platform: tokens.IOS, Status: tokens.Active,
		RegisteredAt: time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.UTC),
		UpdatedAt:    time.Date(2020, 6, 7, 8, 9, 10, 11e6, time.UTC),
	}
	tests := []struct {
		name   string
		change dynamotest.Item // nil values are removed
		want   func(tokens.Registration) tokens.Registration
	}{
		{"as usual", nil, func(r tokens.Registration) tokens.Registration { return r }},
		{"isActive missing", dynamotest.Item{"isActive": nil}, func(r tokens.Registration) tokens.Registration { return r }},
		{"inactive", dynamotest.Item{"isActive": boolean(false)}, func(r tokens.Registration) tokens.Registration {
			r.Status = tokens.Inactive
			return r
		}},
		{"logged out", dynamotest.Item{"isActive": boolean(false), "inactiveReason": str("logout")}, func(r tokens.Registration) tokens.Registration {
			r.Status = tokens.LoggedOut
			return r
		}},
		{"a reason of its own", dynamotest.Item{"isActive": boolean(false), "inactiveReason": str("boredom")}, func(r tokens.Registration) tokens.Registration {
			r.Status = tokens.Inactive
			return r
		}},
		{"no times", dynamotest.Item{"registeredAt": nil, "updatedAt": nil}, func(r tokens.Registration) tokens.Registration {
			r.RegisteredAt, r.UpdatedAt = time.Time{}, time.Time{}
			return r
		}},
		{"whole seconds", dynamotest.Item{"updatedAt": str("2020-06-07T08:09:10Z")}, func(r tokens.Registration) tokens.Registration {
			r.UpdatedAt = time.Date(2020, 6, 7, 8, 9, 10, 0, time.UTC)
			return r
		}},
		{"a project", dynamotest.Item{"projectId": str("p")}, func(r tokens.Registration) tokens.Registration {
			r.ProjectID = "p"
			return r
		}},
	}
	client := dynamotest.Client(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := worldOn(t, client, dynamotest.Table(t, client), store.Policy{})
			old := legacyRow(alice, tokenA)
			for name, value := range tt.change {
				if old[name] = value; value == nil {
					delete(old, name)
				}
			}
			w.put(old)
			want := tt.want(read)
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
			if _, err := w.clean.Holder(t.Context(), tokenA.Hash()); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Holder: %v, want ErrNotFound", err)
			}

			result := w.register(alice, tokenA)
			if want.RegisteredAt.IsZero() {
				want.RegisteredAt = w.now
			}
			want.Status, want.ProjectID = tokens.Active, ""
			want.UpdatedAt, want.ExpiresAt = w.now, w.now.Add(store.DefaultTTL).Truncate(time.Second)
			equal(t, "Register", store.Result{Registration: want, Outcome: store.Refreshed}, result)
			w.look()
			w.intact()
			holder, err := w.clean.Holder(t.Context(), tokenA.Hash())
			w.do(err)
			equal(t, "Holder", want, holder)
			if old["registeredAt"] != nil {
				equal(t, "the text of registeredAt", text(old, "registeredAt"), text(w.at(alice), "registeredAt"))
			}
		})
	}
}

// TestLegacyRowsAreRemoved erases and marks rows without claims.
func TestLegacyRowsAreRemoved(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.put(legacyRow(alice, tokenA))
	w.put(legacyRow(tablet, tokenB))
	w.do(w.clean.Deactivate(t.Context(), alice))
	w.do(w.clean.Invalidate(t.Context(), tablet, tokenB.Hash(), w.now))
	w.look()
	w.hasStatus(alice, tokens.LoggedOut)
	w.hasStatus(tablet, tokens.DeviceNotRegistered)
	w.do(w.clean.Delete(t.Context(), alice))
	w.do(w.clean.DeleteUser(t.Context(), "alice"))
	w.look()
	equal(t, "items", 0, len(w.items))
}

// TestLegacyRowsWithOneToken moves a token to a new device of a user of whom two
// rows have it, and leaves another user's row: that one has no claim to be found
// by, until it is upgraded.
func TestLegacyRowsWithOneToken(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.put(legacyRow(tablet, tokenA))
	w.put(legacyRow(watch, respelt))
	w.put(legacyRow(bob, tokenA))
	result := w.register(alice, tokenA)
	equal(t, "outcome", store.Created, result.Outcome)
	equal(t, "evicted", 0, len(result.Evicted))
	w.look()
	w.intact()
	w.holds(alice, tokenA)
	w.empty(tablet)
	w.empty(watch)
	w.holds(bob, tokenA)
}

// TestForeignAttributesSurvive makes every write but a removal on a row that has
// attributes which this library does not know.
func TestForeignAttributesSurvive(t *testing.T) {
	foreign := dynamotest.Item{
		"appVersion": str("1.2.3"), "badge": num("7"), "muted": boolean(false),
		"deletedAt": &types.AttributeValueMemberNULL{Value: true},
		"topics":    &types.AttributeValueMemberSS{Value: []string{"news"}},
		"device":    &types.AttributeValueMemberM{Value: dynamotest.Item{"model": str("x")}},
		"history":   &types.AttributeValueMemberL{Value: []types.AttributeValue{str("a")}},
		"key":       &types.AttributeValueMemberB{Value: []byte{1}},
	}
	w := newWorld(t, store.Policy{})
	row := legacyRow(alice, tokenA)
	maps.Copy(row, foreign)
	w.put(row)
	survived := func(what string) {
		w.look()
		w.intact()
		for name, value := range foreign {
			equal(t, what, dynamotest.ItemJSON(dynamotest.Item{name: value}), dynamotest.ItemJSON(dynamotest.Item{name: w.at(alice)[name]}))
		}
	}
	w.register(alice, tokenA)
	survived("older row registered")
	w.register(alice, respelt)
	survived("refreshed")
	w.register(alice, tokenB)
	survived("replaced")
	w.do(w.clean.Deactivate(t.Context(), alice))
	survived("deactivated")
	w.register(alice, tokenB)
	survived("reactivated")
	w.now = w.now.Add(29*day + time.Second)
	w.register(alice, tokenB)
	survived("claim renewed")
	w.do(w.clean.Invalidate(t.Context(), alice, tokenB.Hash(), w.now.Add(time.Hour)))
	survived("invalidated")
	w.now = w.now.Add(90 * day)
	w.register(alice, tokenB)
	survived("created over an expired one")
	w.register(bob, tokenC)
	w.register(alice, tokenC)
	survived("moved")
}
