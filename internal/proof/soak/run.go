package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tsenart/vegeta/v12/lib"
)

// A soak is one run, with its settings and then with what it found.
type soak struct {
	duration    time.Duration
	rate, flood int
	times       bool

	phases  []*phase
	floods  []*flood
	tallies []*tally
	memory  [parts]uint64 // the most that the process had at once
	part    atomic.Int32
	states  []state // at rest: filled, after the first quiet phase, at the end
	start   state   // before the first request
	peak    state   // under misuse
	packed  state   // under the crowd
	lines   int     // of the server's log
}

// What the run is held to.
const (
	// The p99 of good clients may be this many times the greater of the two
	// quiet ones.
	worstRatio = 5
	// The heap may hold this much more in the end than it held after the first
	// quiet phase.
	heapSlack = 4 << 20
	// The process may have this much more memory, and a quarter, in the second
	// half of the misuse than in the first: a collector that runs later.
	residentSlack = 32 << 20
	// Besides one goroutine for each connection there may be a few more.
	goroutineSlack = 100
	// The process never has more memory than this, with 2,000 users and as many
	// connections as it takes.
	mostResident = 256 << 20
)

// do runs it, and says what is wrong with the server.
func (s *soak) do(ctx context.Context, program string) (problems []string, err error) {
	server, err := startServer(ctx, program)
	if err != nil {
		return nil, err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, server.stop())
		}
	}()
	if s.start, err = server.state(ctx); err != nil {
		return nil, err
	}
	client := newClient()
	log.Printf("filling")
	if _, err := settle(ctx, client, server.url); err != nil {
		return nil, err
	}
	if err := fillList(ctx, client, server.url); err != nil {
		return nil, err
	}
	if err := s.rest(ctx, client, server); err != nil {
		return nil, err
	}

	watched, unwatch := context.WithCancel(ctx)
	defer unwatch()
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(watched, server) })
	targets := goodTargets(server.url)
	log.Printf("quiet")
	s.phases = append(s.phases, attack(client, targets, "quiet", s.rate, s.duration/4))
	if err := s.rest(ctx, client, server); err != nil {
		return nil, err
	}
	log.Printf("under misuse")
	s.part.Store(misused)
	if err := s.misuse(ctx, client, targets, server); err != nil {
		return nil, err
	}
	log.Printf("under a crowd")
	s.part.Store(crowding)
	if err := s.crowded(ctx, server); err != nil {
		return nil, err
	}
	log.Printf("quiet again")
	s.part.Store(quietAgain)
	s.phases = append(s.phases, attack(client, targets, "quiet again", s.rate, s.duration/4))
	wrong, err := settle(ctx, client, server.url)
	if err != nil {
		return nil, err
	}
	unwatch()
	watching.Wait()
	left, err := s.end(ctx, client, server)
	if err != nil {
		return nil, err
	}
	stopped = true
	if err := server.stop(); err != nil {
		problems = append(problems, fmt.Sprintf("the server ended with %v", err))
	}
	lines, bad := server.log.found()
	s.lines = lines
	for _, line := range bad {
		problems = append(problems, "the log has: "+line)
	}
	problems = append(problems, left...)
	problems = append(problems, wrong...)
	return append(problems, s.judge()...), nil
}

// rest notes the server's state without any connection to the service.
func (s *soak) rest(ctx context.Context, client *http.Client, server *server) error {
	client.CloseIdleConnections()
	now, err := server.state(ctx)
	s.states = append(s.states, now)
	return err
}

// misuse is the phase in which good clients are not alone. It ends when every
// bad connection has.
func (s *soak) misuse(ctx context.Context, client *http.Client, targets vegeta.Targeter, server *server) error {
	ctx, cancel := context.WithTimeout(ctx, s.duration/2)
	defer cancel()
	var bad sync.WaitGroup
	address := strings.TrimPrefix(server.url, "http://")
	for _, m := range misuses {
		t := &tally{misuse: m, statuses: make(map[int]int)}
		s.tallies = append(s.tallies, t)
		bad.Go(func() { t.misbehave(ctx, ctx, address) })
	}
	s.floods = floods(server.url)
	for _, f := range s.floods {
		bad.Go(func() { f.run(s.flood, s.duration/2) })
	}
	half := time.AfterFunc(s.duration/4, func() { s.part.Store(misusedLonger) })
	defer half.Stop()
	var peak error
	bad.Go(func() {
		// Late enough for the slowest but one misuse to have as many
		// connections as it will.
		select {
		case <-time.After(s.duration * 4 / 10):
		case <-ctx.Done():
		}
		s.peak, peak = server.state(context.WithoutCancel(ctx))
	})
	s.phases = append(s.phases, attack(client, targets, "under misuse", s.rate, s.duration/2))
	bad.Wait()
	return peak
}

// crowded opens many connections at once, and waits until they have ended.
func (s *soak) crowded(ctx context.Context, server *server) error {
	t := &tally{misuse: crowd, statuses: make(map[int]int)}
	s.tallies = append(s.tallies, t)
	var all sync.WaitGroup
	for range crowdSize {
		all.Go(func() { t.connect(ctx, strings.TrimPrefix(server.url, "http://")) })
	}
	// Until the server has as many as it takes, or those have had the time.
	var err error
	for began := time.Now(); err == nil && time.Since(began) < headerLimit-slack && s.packed.Goroutines < mostConnections; {
		var now state
		if now, err = server.state(ctx); now.Goroutines > s.packed.Goroutines {
			s.packed = now
		}
	}
	all.Wait()
	return err
}

// end waits until no goroutine is left that was not there in the beginning, and
// reports what is left after the longest of the server's time-outs but the idle
// one, which needs no waiting for since nothing idles any more.
func (s *soak) end(ctx context.Context, client *http.Client, server *server) (problems []string, err error) {
	client.CloseIdleConnections()
	deadline := time.Now().Add(writeLimit)
	for {
		now, err := server.state(ctx)
		if err != nil {
			return nil, err
		}
		if now.Goroutines <= s.start.Goroutines {
			s.states = append(s.states, now)
			return nil, nil
		}
		if time.Now().After(deadline) {
			s.states = append(s.states, now)
			stacks, err := server.goroutines(ctx)
			return []string{fmt.Sprintf("%d goroutines are left, %d were there in the beginning:\n%s", now.Goroutines, s.start.Goroutines, stacks)}, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// The parts of a run whose memory is compared.
const (
	quiet = iota
	misused
	misusedLonger
	crowding
	quietAgain
	parts
)

// watch notes how much memory the process has in each part, until ctx is done.
func (s *soak) watch(ctx context.Context, server *server) {
	ticks := time.NewTicker(time.Second / 2)
	defer ticks.Stop()
	for {
		part := &s.memory[s.part.Load()]
		*part = max(*part, server.resident())
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// judge says what is wrong with what was measured.
func (s *soak) judge() (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, p := range s.phases {
		if len(p.latencies) == 0 {
			complain("%s: no good client was served", p.name)
		}
		if p.wrong > 0 {
			complain("%s: %d wrong answers to good clients, first %q", p.name, p.wrong, p.firsts)
		}
	}
	for _, f := range s.floods {
		problems = append(problems, f.problems()...)
	}
	for _, t := range s.tallies {
		problems = append(problems, t.problems()...)
	}
	if n := s.packed.Goroutines; n > mostConnections+s.start.Goroutines+goroutineSlack {
		complain("there were %d goroutines under a crowd, for at most %d connections", n, mostConnections)
	}
	if before, after := s.states[1].Heap, s.states[len(s.states)-1].Heap; after > before+before/10+heapSlack {
		complain("the heap holds %s in the end, and held %s after the first quiet phase", mebibytes(after), mebibytes(before))
	}
	if most := slices.Max(s.memory[:]); most > mostResident {
		complain("the process had %s of memory, want at most %s", mebibytes(most), mebibytes(mostResident))
	}
	if first, second := s.memory[misused], s.memory[misusedLonger]; second > first+first/4+residentSlack {
		complain("memory grows under misuse: %s, and then %s", mebibytes(first), mebibytes(second))
	}
	if s.times {
		calm := max(s.phases[0].quantile(0.99), s.phases[2].quantile(0.99))
		if p99 := s.phases[1].quantile(0.99); p99 > worstRatio*calm {
			complain("the p99 under misuse is %s, and %s when quiet", p99, calm)
		}
	}
	return problems
}
