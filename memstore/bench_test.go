package memstore_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
)

func newStore(_ testing.TB, p store.Policy) store.Store { return memstore.New(p) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, storetest.Backend{New: newStore}) }
