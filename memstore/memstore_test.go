package memstore_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/store/storetest"
)

func TestContract(t *testing.T) { storetest.Run(t, storetest.Backend{New: newStore}) }
