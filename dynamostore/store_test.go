package dynamostore_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store/storetest"
)

func TestStore(t *testing.T) { storetest.Run(t, dynamotest.Backend) }
