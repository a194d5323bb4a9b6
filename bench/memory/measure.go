package memory

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Batch is how many calls are timed together, at least as many as give a time
// that a clock can tell, and no more than there are registrations.
const Batch = 1_000

// Mode says how many callers there are.
type Mode string

// The modes.
const (
	Serial   Mode = "serial"   // one call after another
	Parallel Mode = "parallel" // as many callers at once as there are processors
)

// A Filled store is one that holds a workload.
type Filled struct {
	Store
	Bytes int // of each registration, with its strings
}

// Fill registers the workload in an empty store, and measures what it takes.
func Fill(s Store, w Workload) (Filled, error) {
	before := heap()
	for i := range w.Registrations {
		if err := register(s, Args{Request: w.Request(i)}); err != nil {
			return Filled{}, err
		}
	}
	return Filled{s, (heap() - before) / w.Registrations}, nil
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Rounds measures each of the stores in each round, and returns how many
// nanoseconds a call took, by store and round. The garbage is collected before and
// not meanwhile: all that every store holds would be marked at the cost of the one
// whose turn it is.
func Rounds(op Operation, w Workload, mode Mode, stores []Filled, rounds int) ([][]float64, error) {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	all := make([][]float64, len(stores))
	for round := range rounds {
		took, err := measure(op, w, mode, stores, round)
		if err != nil {
			return nil, err
		}
		for i, t := range took {
			all[i] = append(all[i], float64(t)/Batch)
		}
	}
	return all, nil
}

// measure makes one batch of calls in each of the stores, and returns how long
// each batch took. The calls differ from round to round, and so does the store
// that is first: the others may find the arguments in the cache.
func measure(op Operation, w Workload, mode Mode, stores []Filled, round int) ([]time.Duration, error) {
	args := make([]Args, Batch)
	for i := range args {
		args[i] = op.Args(w, round*Batch+i)
	}
	took := make([]time.Duration, len(stores))
	for i := range stores {
		i = (i + round) % len(stores)
		elapsed, err := mode.run(op.Call, stores[i], args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		took[i] = elapsed
		if op.Undo == nil {
			continue
		}
		for _, a := range args {
			if err := op.Undo(stores[i], a); err != nil {
				return nil, fmt.Errorf("%s, undone: %w", op.Name, err)
			}
		}
	}
	return took, nil
}

// run makes the calls and returns how long they took together.
func (m Mode) run(call func(Store, Args) error, s Store, args []Args) (time.Duration, error) {
	callers := 1
	if m == Parallel {
		callers = runtime.GOMAXPROCS(0)
	}
	errs := make([]error, callers)
	var (
		begin   = make(chan struct{})
		waiting sync.WaitGroup
		done    sync.WaitGroup
	)
	waiting.Add(callers)
	for c := range callers {
		mine := args[c*len(args)/callers : (c+1)*len(args)/callers]
		done.Go(func() {
			waiting.Done()
			<-begin
			for _, a := range mine {
				if err := call(s, a); err != nil {
					errs[c] = err
					return
				}
			}
		})
	}
	waiting.Wait()
	began := time.Now()
	close(begin)
	done.Wait()
	return time.Since(began), errors.Join(errs...)
}
