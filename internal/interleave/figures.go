package interleave

import (
	"errors"
	"fmt"
	"strings"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/store"
)

// Figures are what schedules came to.
type Figures struct {
	Schedules, Steps, Operations int

	Requests   int // that came to the gate
	Lost       int // that were not delivered, or whose answer was not
	Repeated   int // that were delivered twice
	Conflicts  int // that were answered with one
	Late       int // that were applied after their sender had given up
	Removals   int // by TTL
	Jumps      int // of the clock
	Moves      int // of a token from an active registration
	Evictions  int
	TryAgain   int // operations that ended so, though nothing of them was lost
	CallsAlone int // the most that an operation needed with nothing else under way
}

// Add adds what other schedules came to.
func (f *Figures) Add(g Figures) {
	f.Schedules += g.Schedules
	f.Steps += g.Steps
	f.Operations += g.Operations
	f.Requests += g.Requests
	f.Lost += g.Lost
	f.Repeated += g.Repeated
	f.Conflicts += g.Conflicts
	f.Late += g.Late
	f.Removals += g.Removals
	f.Jumps += g.Jumps
	f.Moves += g.Moves
	f.Evictions += g.Evictions
	f.TryAgain += g.TryAgain
	f.CallsAlone = max(f.CallsAlone, g.CallsAlone)
}

func (f *Figures) count(fate fate) {
	f.Requests++
	switch fate {
	case requestLost, answerLost, late:
		f.Lost++
	case sentTwice:
		f.Repeated++
	case conflicting, obscured:
		f.Conflicts++
	}
}

func (f *Figures) ended(op *operation) {
	if op.method == dynamostore.OpRegister && op.err == nil {
		if op.result.Moved() {
			f.Moves++
		}
		f.Evictions += len(op.result.Evicted)
	}
	if errors.Is(op.err, store.ErrTryAgain) && !op.disturbed {
		f.TryAgain++
	}
}

// String returns the figures on one line.
func (f Figures) String() string {
	return fmt.Sprintf("%d schedules, %d steps, %d operations with %d requests (%d lost, %d sent twice, %d in conflict, %d applied late), "+
		"%d removals by TTL, %d jumps of the clock, %d moves, %d evictions, %d operations to try again; at most %d calls alone",
		f.Schedules, f.Steps, f.Operations, f.Requests, f.Lost, f.Repeated, f.Conflicts, f.Late,
		f.Removals, f.Jumps, f.Moves, f.Evictions, f.TryAgain, f.CallsAlone)
}

// story is all that happened, for whoever looks into a violation.
func (s *schedule) story() string {
	return strings.Join(s.trace, "\n")
}
