package dynamostore_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// found answers a GetItem.
func found(i dynamotest.Item) answer { return answered(`{"Item":` + dynamotest.ItemJSON(i) + `}`) }

// both answers a TransactGetItems; what is nil is not there.
func both(items ...dynamotest.Item) answer {
	var texts []string
	for _, i := range items {
		text := "{}"
		if i != nil {
			text = `{"Item":` + dynamotest.ItemJSON(i) + `}`
		}
		texts = append(texts, text)
	}
	return answered(`{"Responses":[` + strings.Join(texts, ",") + `],"ConsumedCapacity":[{"TableName":"table","CapacityUnits":4}]}`)
}

// TestHolderWhileTheTokenMoves has the claim and the registrations change between
// the calls of Holder.
func TestHolderWhileTheTokenMoves(t *testing.T) {
	tests := []struct {
		name   string
		script []answer
		calls  int
		want   tokens.Key
		err    error // nil: an error without sentinel, if want is zero
	}{
		{"nobody", []answer{answered(`{}`)}, 1, tokens.Key{}, store.ErrNotFound},
		{"at rest", []answer{found(claim(bob)), found(row(bob, tokenA))}, 2, bob, nil},
		{"spelled otherwise", []answer{found(claim(bob)), found(row(bob, respelt))}, 2, bob, nil},
		{
			"back before the second look",
			[]answer{found(claim(bob)), found(row(bob, tokenB)), both(claim(bob), row(bob, tokenA))},
			3, bob, nil,
		},
		{
			"moved to alice",
			[]answer{found(claim(bob)), answered(`{}`), both(claim(alice), nil), found(row(alice, tokenA))},
			4, alice, nil,
		},
		{
			"moved to alice, and back",
			[]answer{
				found(claim(bob)), answered(`{}`), both(claim(alice), nil),
				found(row(alice, tokenB)), both(claim(bob), row(alice, tokenB)), found(row(bob, tokenA)),
			},
			6, bob, nil,
		},
		{"the claim goes too", []answer{found(claim(bob)), answered(`{}`), both(nil, nil)}, 3, tokens.Key{}, store.ErrNotFound},
		{"the claim is left behind", []answer{found(claim(bob)), answered(`{}`), both(claim(bob), nil)}, 3, tokens.Key{}, store.ErrNotFound},
		{"the claim is left behind another token", []answer{found(claim(bob)), found(row(bob, tokenB)), both(claim(bob), row(bob, tokenB))}, 3, tokens.Key{}, store.ErrNotFound},
		{"the claim names nobody", []answer{found(claim(tokens.Key{}))}, 1, tokens.Key{}, nil},
		{"the claim comes to name nobody", []answer{found(claim(bob)), answered(`{}`), both(claim(tokens.Key{}), nil)}, 3, tokens.Key{}, nil},
		{"an answer for one item", []answer{found(claim(bob)), answered(`{}`), both(claim(bob))}, 3, tokens.Key{}, nil},
		{"an answer for none", []answer{found(claim(bob)), answered(`{}`), answered(`{}`)}, 3, tokens.Key{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var event dynamostore.Event
			s := offline(t, dynamotest.Script(tt.script...), func(e dynamostore.Event) { event = e })
			reg, err := s.Holder(t.Context(), tokenA)
			equal(t, "holder", tt.want, reg.Key)
			equal(t, "calls", tt.calls, event.Calls)
			switch {
			case !tt.want.IsZero():
				if err != nil {
					t.Error(err)
				}
			case err == nil, tt.err != nil && !errors.Is(err, tt.err), tt.err == nil && errors.Is(err, store.ErrNotFound):
				t.Errorf("the error is %v, want %v", err, tt.err)
			default:
				discreet(t, err)
			}
		})
	}
}

// TestHolderGivesUp on a token that never stays where it was.
func TestHolderGivesUp(t *testing.T) {
	owners, n := []tokens.Key{alice, bob}, 0
	var event dynamostore.Event
	s := offline(t, dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		if dynamotest.Operation(r) == "TransactGetItems" {
			n++
			return both(claim(owners[n%2]), nil)(r), nil
		}
		return found(claim(alice))(r), nil // also under the key of a registration, which does not have the token
	}), func(e dynamostore.Event) { event = e })
	_, err := s.Holder(t.Context(), tokenA)
	if !errors.Is(err, store.ErrTryAgain) {
		t.Fatalf("the error is %v, want ErrTryAgain", err)
	}
	discreet(t, err)
	equal(t, "outcome", "try_again", event.Outcome)
	if event.Calls > 12 {
		t.Errorf("%d calls were made", event.Calls)
	}
}
