package dynamostore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"
)

// TestClassifyUnsent has a request that could not be made: trying again makes it
// no better, and nothing is set up wrongly.
func TestClassifyUnsent(t *testing.T) {
	unsent := &smithy.OperationError{
		ServiceID: "DynamoDB", OperationName: "UpdateItem",
		Err: &smithy.SerializationError{Err: errors.New("unknown type")},
	}
	if kind := classify(fmt.Errorf("wrapped: %w", unsent)); kind != nil {
		t.Errorf("it is classified as %v", kind)
	}
}
