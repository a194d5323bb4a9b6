package interleave

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	workers = 4   // operations under way at once
	length  = 100 // steps, before the rest ends without faults
)

// A schedule is an order of all events, which its source of random numbers decides.
type schedule struct {
	lane                 *lane
	rng                  *rand.Rand
	operations, requests int64 // how many there were
	trace                []string

	// Few of each, so that operations conflict.
	users, devices int
	identities     []string
	methods        []store.Operation
	jumps, faults  int // of 100 steps, and of 100 requests

	now     time.Time // the true time, which is that of DynamoDB's TTL
	servers []*server
	state   *table

	underWay []*operation
	late     []message
	step     int
}

func (s *schedule) play() error {
	s.observe(s.lane.scan())
	for s.step = 1; s.step <= length; s.step++ {
		if err := s.act(); err != nil {
			return fmt.Errorf("step %d: %w", s.step, err)
		}
	}
	if err := s.settle(); err != nil {
		return fmt.Errorf("in peace, after step %d: %w", length, err)
	}
	return nil
}

func (s *schedule) act() error {
	switch p := s.rng.IntN(100); {
	case p < s.jumps:
		return s.moveClock()
	case p < 2*s.jumps:
		return s.removeExpired()
	case p < 2*s.jumps+2:
		return s.deliverLate()
	case p < 2*s.jumps+4:
		return s.finishAlone()
	case p < 2*s.jumps+25 && len(s.underWay) < workers, len(s.underWay) == 0:
		return s.begin(s.randomOperation())
	}
	return s.proceed(s.ready(), s.fate())
}

// ready returns one of the operations under way. It may hold back an operation, so that
// much happens between two of its requests.
func (s *schedule) ready() *operation {
	free := slices.DeleteFunc(slices.Clone(s.underWay), func(op *operation) bool { return op.heldUntil > s.step })
	if len(free) == 0 {
		free = s.underWay
	}
	op := free[s.rng.IntN(len(free))]
	if op.call == "TransactWriteItems" && s.rng.IntN(4) == 0 {
		op.heldUntil = s.step + 3 + s.rng.IntN(20)
	}
	return op
}

// fates are those of a request with a fault.
var fates = []fate{requestLost, answerLost, late, sentTwice, conflicting, obscured}

func (s *schedule) fate() fate {
	if s.rng.IntN(100) < s.faults {
		return fates[s.rng.IntN(len(fates))]
	}
	return delivered
}

// begin starts an operation, which runs until its first request is at the gate.
func (s *schedule) begin(op *operation) error {
	s.operations++
	op.name = fmt.Sprintf("operation %d", s.operations)
	op.began = s.now.Add(op.server.skew)
	op.turn = make(chan fate)
	op.alone = len(s.underWay) == 0 && len(s.late) == 0
	op.seen = []*table{s.state}
	for _, other := range s.underWay {
		other.alone = false
	}
	s.underWay = append(s.underWay, op)
	s.note("%v begins", op)
	ctx := context.WithValue(s.lane.ctx, operationKey{}, op)
	go func() {
		op.run(ctx)
		s.lane.gate.arrived <- op
	}()
	<-s.lane.gate.arrived
	return s.ended(op, s.state)
}

// proceed applies a fate to the request of op at the gate, and checks the outcome.
func (s *schedule) proceed(op *operation, f fate) error {
	before, call := s.state, op.call
	if !isWrite(call) && f != requestLost || f == obscured && call == "UpdateItem" {
		f = delivered
	}
	op.looked = append(op.looked, before)
	s.requests++
	op.applied = false
	if f == conflicting || f == obscured {
		op.alone = false
	}
	op.disturbed = op.disturbed || f == requestLost || f == answerLost || f == sentTwice || f == late
	op.twice = op.twice || f == sentTwice
	op.chance = s.rng.IntN(100)
	op.turn <- f
	<-s.lane.gate.arrived
	if op.late != nil {
		s.late = append(s.late, *op.late)
		op.late = nil
	}
	s.note("%s: %s %s%s", op.name, call, f, map[bool]string{true: ", applied"}[op.applied])
	if op.applied {
		if err := s.wrote(op); err != nil {
			return err
		}
	}
	if op.calls > op.mostCalls() {
		return fmt.Errorf("%v has made %d calls", op, op.calls)
	}
	return s.ended(op, before)
}

func (s *schedule) wrote(op *operation) error {
	before := s.state
	s.observe(s.lane.scan())
	if err := s.checkChanges(op, before, s.state); err != nil {
		return err
	}
	return s.checkInvariants()
}

func (s *schedule) observe(t *table) {
	s.state = t
	for _, op := range s.underWay {
		op.seen = append(op.seen, t)
	}
}

// ended checks the result of op if it is done. before is the table at its last request.
func (s *schedule) ended(op *operation, before *table) error {
	if !op.done {
		return nil
	}
	s.underWay = slices.DeleteFunc(s.underWay, func(o *operation) bool { return o == op })
	s.note("%s ends: %s", op.name, op.answer())
	return s.checkAnswer(op, before)
}

// finishAlone lets one operation run while the others wait. It must end.
func (s *schedule) finishAlone() error {
	if len(s.underWay) == 0 {
		return nil
	}
	op := s.underWay[s.rng.IntN(len(s.underWay))]
	left := maxAttempts - op.calls
	for !op.done {
		if err := s.proceed(op, delivered); err != nil {
			return err
		}
	}
	if op.err != nil && left > mostCallsAlone && !op.disturbed && !isAnswer(op.err) {
		return fmt.Errorf("%v was not disturbed for %d calls, and ended with %w", op, left, op.err)
	}
	return nil
}

// deliverLate delivers a request after its sender has given up, or drops it.
func (s *schedule) deliverLate() error {
	if len(s.late) == 0 {
		return nil
	}
	i := s.rng.IntN(len(s.late))
	m := s.late[i]
	s.late = slices.Delete(s.late, i, i+1)
	if s.rng.IntN(8) == 0 {
		return nil
	}
	s.crowd()
	m.op.applied = false
	if _, err := s.lane.gate.send(m); err != nil {
		return err
	}
	s.note("%s: late %s%s", m.op.name, m.call, map[bool]string{true: ", applied"}[m.op.applied])
	if !m.op.applied {
		return nil
	}
	return s.wrote(m.op)
}

func (s *schedule) crowd() {
	for _, op := range s.underWay {
		op.alone = false
	}
}

func (s *schedule) checkInvariants() error {
	if wrong := dynamotest.CheckInvariants(s.state.items, s.slowest()); wrong != nil {
		return fmt.Errorf("the table is wrong: %q", wrong)
	}
	return nil
}

// slowest returns the time of the slowest clock, by which a row is live for longest.
func (s *schedule) slowest() time.Time {
	slowest := s.now
	for _, v := range s.servers {
		if t := s.now.Add(v.skew); t.Before(slowest) {
			slowest = t
		}
	}
	return slowest
}

func (s *schedule) note(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf("%3d %s ", s.step, timeText(s.now))+fmt.Sprintf(format, args...))
}

func (s *schedule) story() string { return strings.Join(s.trace, "\n") }

func itemName(i attributes) string { return text(i, "userId") + "/" + text(i, "deviceId") }

// settle lets all operations end, and then makes each user register every token again,
// because no stored row may block a call.
func (s *schedule) settle() error {
	for len(s.underWay) > 0 {
		if err := s.proceed(s.underWay[s.rng.IntN(len(s.underWay))], delivered); err != nil {
			return err
		}
	}
	for len(s.late) > 0 {
		if err := s.deliverLate(); err != nil {
			return err
		}
	}
	if s.rng.IntN(2) == 0 {
		// Everything has expired, and TTL has removed some of it.
		s.now = s.now.Add(150 * day)
		if err := s.removeExpired(); err != nil {
			return err
		}
	}
	for user := range s.users {
		for _, identity := range s.identities {
			key := s.randomKey()
			key.UserID = tokens.UserID(fmt.Sprintf("user%d", user))
			req := tokens.Request{Key: key, Token: tokens.MustParseToken(spell(s.rng, identity)), Platform: tokens.IOS}
			server := s.servers[s.rng.IntN(len(s.servers))]
			if s.rng.IntN(4) == 0 {
				other := tokens.Request{Key: s.randomKey(), Token: req.Token}
				method := []store.Operation{store.OpDelete, store.OpDeleteUser}[s.rng.IntN(2)]
				if err := s.mustEnd(&operation{method: method, req: other, server: server}); err != nil {
					return err
				}
			}
			if err := s.mustEnd(&operation{method: store.OpRegister, req: req, server: server}); err != nil {
				return err
			}
		}
	}
	return nil
}

// mustEnd runs an operation alone. It must succeed in few calls.
func (s *schedule) mustEnd(op *operation) error {
	if err := s.begin(op); err != nil {
		return err
	}
	for !op.done {
		if err := s.proceed(op, delivered); err != nil {
			return err
		}
	}
	switch {
	case op.err != nil:
		return fmt.Errorf("%v, with nothing else under way: %w", op, op.err)
	case op.calls > mostCallsAlone:
		return fmt.Errorf("%v, with nothing else under way, made %d calls", op, op.calls)
	}
	return nil
}

// mostCallsAlone is the maximum number of calls of an operation that runs alone on any
// stored rows: the refresh, the query, a transaction each to learn the owner of the
// claim, the previous holder and the claims that must stay, and the final transaction.
const mostCallsAlone = 6
