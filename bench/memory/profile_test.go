package memory

import (
	"sync/atomic"
	"testing"

	"github.com/devicetokens/devicetokens/store"
)

// BenchmarkStore is for a profile:
//
//	go test ./memory -run '^$' -bench 'Store/memstore/get/serial' -cpuprofile cpu.out
//
// What changes a store is undone after each call, within the time. Callers at
// once are left out there: one would undo what another has done.
func BenchmarkStore(b *testing.B) {
	w := Workload{Registrations: 100_000, Devices: 2}
	for _, c := range Contenders() {
		b.Run(c.Name, func(b *testing.B) {
			filled, err := Fill(c.New(store.Policy{}), w)
			if err != nil {
				b.Fatal(err)
			}
			s := filled.Store
			for _, op := range Operations() {
				args := make([]Args, 10*Batch)
				for i := range args {
					args[i] = op.Args(w, i)
				}
				call := func(n int) {
					a := args[n%len(args)]
					if err := op.Call(s, a); err != nil {
						b.Error(err)
					}
					if op.Undo == nil {
						return
					}
					if err := op.Undo(s, a); err != nil {
						b.Error(err)
					}
				}
				b.Run(op.Name+"/serial", func(b *testing.B) {
					b.ReportAllocs()
					for n := 0; b.Loop(); n++ {
						call(n)
					}
				})
				if op.Undo != nil {
					continue
				}
				b.Run(op.Name+"/parallel", func(b *testing.B) {
					var callers atomic.Int64
					b.RunParallel(func(pb *testing.PB) {
						for n := int(callers.Add(1)) * Batch; pb.Next(); n++ {
							call(n)
						}
					})
				})
			}
		})
	}
}
