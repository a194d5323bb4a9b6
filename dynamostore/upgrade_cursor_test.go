package dynamostore

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A cursor that is read names a key, and that key gives the cursor again.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("WyJhIiwiYiJd")
	f.Add(cursor(claimID("#claim#1#x").key()))
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parseCursor(text)
		if err != nil || key == nil {
			return
		}
		again, err := parseCursor(cursor(key))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(key, again, cmpopts.IgnoreUnexported(types.AttributeValueMemberS{})); diff != "" {
			t.Errorf("key (-first +second):\n%s", diff)
		}
	})
}
