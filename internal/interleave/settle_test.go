package interleave

import (
	"fmt"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// settle lets everything that is under way end, and then has each user register
// every token again: no stored row may block a call.
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
		// Everything has expired, and TTL has not come to all of it.
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

// mustEnd lets an operation happen all alone. It has to succeed, in few calls.
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
