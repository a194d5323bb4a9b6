package memstore_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/store/storetest"
)

func BenchmarkStore(b *testing.B) { storetest.Bench(b, storetest.Backend{New: newStore}) }
