package memstore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// BenchmarkAgainstFloor reports the time of each call as a multiple of the
// floor's. The two take turns, a batch each, so that whatever else the machine
// does slows both; the figure is the median of the batches' ratios.
func BenchmarkAgainstFloor(b *testing.B) {
	const users, batch = 50_000, 2_000
	population := make([]tokens.Request, 2*users)
	for i := range population {
		population[i] = benchRequest("user", i/2, i%2, i)
	}
	for _, bm := range []struct {
		name string
		reqs func(round int) []tokens.Request
		call func(store.Store, tokens.Request) error
	}{
		{"refresh", func(round int) []tokens.Request { return scattered(population, round*batch, batch) }, register},
		{"get", func(round int) []tokens.Request { return scattered(population, round*batch, batch) }, get},
		{"new", func(round int) []tokens.Request {
			reqs := make([]tokens.Request, batch)
			for i := range reqs {
				n := len(population) + round*batch + i
				reqs[i] = benchRequest("new", n, 0, n)
			}
			return reqs
		}, register},
		{"replace", func(round int) []tokens.Request {
			reqs := scattered(population, round*batch, batch)
			for i := range reqs {
				reqs[i].Token = benchRequest("", 0, 0, len(population)+round*batch+i).Token
			}
			return reqs
		}, register},
		{"move", func(round int) []tokens.Request {
			reqs := scattered(population, round*batch, batch)
			for i := range reqs {
				reqs[i].Key.UserID = tokens.UserID(fmt.Sprintf("mover-%030d", round*batch+i))
			}
			return reqs
		}, register},
	} {
		b.Run(bm.name, func(b *testing.B) {
			stores := []store.Store{newStore(b, store.Policy{}), newFloor(b, store.Policy{})}
			for _, s := range stores {
				for _, req := range population {
					if err := register(s, req); err != nil {
						b.Fatal(err)
					}
				}
			}
			var ratios []float64
			var times [2]time.Duration
			for round := 0; b.Loop(); round++ {
				reqs := bm.reqs(round)
				for i := range stores {
					i = (i + round) % 2 // who comes second finds the requests in the cache
					begin := time.Now()
					for _, req := range reqs {
						if err := bm.call(stores[i], req); err != nil {
							b.Fatal(err)
						}
					}
					times[i] = time.Since(begin)
				}
				ratios = append(ratios, float64(times[0])/float64(times[1]))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "x-floor")
			b.ReportMetric(0, "ns/op") // of a batch, with making it: says nothing
		})
	}
}

// scattered returns n requests from all over the population.
func scattered(population []tokens.Request, from, n int) []tokens.Request {
	const prime = 7_919
	reqs := make([]tokens.Request, n)
	for i := range reqs {
		reqs[i] = population[(from+i)*prime%len(population)]
	}
	return reqs
}

func benchRequest(prefix string, user, device, token int) tokens.Request {
	return tokens.Request{
		Key: tokens.Key{
			UserID:   tokens.UserID(fmt.Sprintf("%s-%030d", prefix, user)),
			DeviceID: tokens.DeviceID(fmt.Sprintf("device-%029d", device)),
		},
		Token:     tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", token)),
		Platform:  tokens.IOS,
		ProjectID: "@acme/app",
	}
}

func register(s store.Store, req tokens.Request) error {
	_, err := s.Register(context.Background(), req)
	return err
}

func get(s store.Store, req tokens.Request) error {
	_, err := s.Get(context.Background(), req.Key)
	return err
}
