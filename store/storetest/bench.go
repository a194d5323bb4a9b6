package storetest

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Bench measures the frequent calls of a store as sub-benchmarks of b: serial, from one
// goroutine, and parallel, from as many as there are processors. The store has two
// devices of each of 1,000 users. A call that returns ErrTryAgain is repeated and counted
// once.
func Bench(b *testing.B, be Backend) {
	for _, bm := range []struct {
		name string
		call func(f *population, n int) call
	}{
		{"refresh", (*population).refresh},
		{"get", (*population).get},
		{"list", (*population).list},
		{"new", (*population).new},
		{"move", (*population).move},
	} {
		b.Run(bm.name+"/serial", func(b *testing.B) {
			p := newPopulation(b, be)
			for n := 0; b.Loop(); n++ {
				p.measure(b, bm.call(p, n))
			}
		})
		b.Run(bm.name+"/parallel", func(b *testing.B) {
			p := newPopulation(b, be)
			var callers atomic.Int64
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for n := int(callers.Add(1)) * 1_000_000; pb.Next(); n++ {
					p.measure(b, bm.call(p, n))
				}
			})
		})
	}
}

type population struct {
	store store.Store
	reqs  []tokens.Request
}

func newPopulation(b *testing.B, be Backend) *population {
	b.Helper()
	b.ReportAllocs()
	p := &population{store: be.New(b, store.Policy{})}
	for i := range 2000 {
		user := tokens.UserID("user-" + strconv.Itoa(i/2))
		p.reqs = append(p.reqs, request(user, device(i%2), token(i)))
		p.measure(b, registerCall(p.reqs[i]))
	}
	return p
}

func (p *population) measure(b *testing.B, do call) {
	if _, err := repeat(b.Context(), func(ctx context.Context) error { return do(ctx, p.store) }); err != nil {
		b.Error(err)
	}
}

func (p *population) pick(n int) tokens.Request { return p.reqs[n%len(p.reqs)] }

func (p *population) refresh(n int) call { return registerCall(p.pick(n)) }
func (p *population) get(n int) call     { return getCall(p.pick(n).Key) }
func (p *population) list(n int) call    { return listCall(p.pick(n).Key.UserID) }

// new registers a new device of a new user.
func (p *population) new(n int) call {
	return registerCall(request(tokens.UserID("new-"+strconv.Itoa(n)), phone, token(len(p.reqs)+n)))
}

// move gives a token to another user, of a limited number.
func (p *population) move(n int) call {
	req := p.pick(n)
	req.Key.UserID = tokens.UserID("other-" + strconv.Itoa(n/len(p.reqs)%2) + "-" + strconv.Itoa(n%len(p.reqs)))
	return registerCall(req)
}
