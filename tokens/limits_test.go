package tokens_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/internal/spelling"
	"github.com/devicetokens/devicetokens/tokens"
)

// The documented limit is a number, so that go doc shows one.
func TestMaxTokenBytesIsTheParsers(t *testing.T) {
	if tokens.MaxTokenBytes != spelling.MaxBytes {
		t.Errorf("MaxTokenBytes is %d, the parser's limit %d", tokens.MaxTokenBytes, spelling.MaxBytes)
	}
}
