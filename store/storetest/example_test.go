package storetest_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
)

func newStore(_ testing.TB, p store.Policy) store.Store { return memstore.MustNew(p) }

func ExampleRun() {
	var _ = func(t *testing.T) { // TestStore
		storetest.Run(t, storetest.Backend{New: newStore})
	}
}

func ExampleBench() {
	var _ = func(b *testing.B) { // BenchmarkStore
		storetest.Bench(b, storetest.Backend{New: newStore})
	}
}
