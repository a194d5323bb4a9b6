package dynamostore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// ignoreDocuments leaves out what the SDK's types have beside their value.
var ignoreDocuments = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})

// TestClaimItem spells out what a claim is in the table, and reads it.
func TestClaimItem(t *testing.T) {
	id := claimOf(tokens.MustParseToken("ExponentPushToken[x]"))
	stored := id.item(rowKey, "v", time.Unix(2000, 0))
	want := item{
		"userId":        &types.AttributeValueMemberS{Value: "#claim#1#LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE"},
		"deviceId":      &types.AttributeValueMemberS{Value: "#"},
		"ownerUserId":   &types.AttributeValueMemberS{Value: "user"},
		"ownerDeviceId": &types.AttributeValueMemberS{Value: "device"},
		"version":       &types.AttributeValueMemberS{Value: "v"},
		"expiresAt":     &types.AttributeValueMemberN{Value: "2000"},
	}
	if diff := cmp.Diff(want, stored, ignoreDocuments); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	if c := newClaim(stored); !c.exists() || c.owner != rowKey || c.version() != "v" {
		t.Errorf("read again it is of %v, version %q", c.owner, c.version())
	}
	if c := newClaim(item{}); c.exists() || c.owner != (tokens.Key{}) {
		t.Error("there is a claim where nothing is stored")
	}
}

// TestClaimUnchanged has the condition of a claim that is free, and of one that is
// held.
func TestClaimUnchanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		claim  claim
		want   string
		values []string
	}{
		{"free", claim{}, "attribute_not_exists (#0)", nil},
		{"held", newClaim(claimOf(tokens.MustParseToken("ExponentPushToken[x]")).item(rowKey, "v", time.Unix(2000, 0))), "(attribute_exists (#0)) AND (#1 = :0)", []string{"v"}},
		{"as its row says", claimHeldBy(newRow(newItem(nil))), "(attribute_exists (#0)) AND (#1 = :0)", []string{"v"}},
		{"of an older row", claimHeldBy(newRow(newItem(item{attrClaimVersion: nil}))), "attribute_not_exists (#0)", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := tt.claim.unchanged()
			expr, err := expression.NewBuilder().WithCondition(g.condition).Build()
			if err != nil {
				t.Fatal(err)
			}
			if got := *expr.Condition(); got != tt.want {
				t.Errorf("condition is %s, want %s", got, tt.want)
			}
			var values []string
			for _, a := range g.args {
				values = append(values, a.value.(*types.AttributeValueMemberS).Value)
			}
			if diff := cmp.Diff(tt.values, values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClaimTimes has the numbers that the documents name.
func TestClaimTimes(t *testing.T) {
	const day = 24 * time.Hour
	if claimMargin != day || maxClaimExtra != 30*day {
		t.Errorf("the margin is %v and the most %v, want a day and 30", claimMargin, maxClaimExtra)
	}
}

// TestFaultOfADoneContext: a write whose context ended may have happened, a read
// has not changed anything.
func TestFaultOfADoneContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for op, tryAgain := range map[Operation]bool{
		OpRegister: true, OpDeactivate: true, OpInvalidate: true, OpDelete: true, OpDeleteUser: true,
		OpGet: false, OpList: false, OpHolder: false,
	} {
		o := (&Store{}).begin(op)
		for what, err := range map[string]error{
			"in a call":         o.fault(ctx, "UpdateItem", &types.ResourceNotFoundException{}),
			"between two calls": o.canceled(ctx.Err()),
		} {
			if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrTryAgain) != tryAgain || errors.Is(err, store.ErrMisconfigured) {
				t.Errorf("%s, %s: the error is %v", op, what, err)
			}
		}
	}
}
