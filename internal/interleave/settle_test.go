package interleave

import (
	"fmt"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// settle lets everything that is under way end, and then has each user register
// every token again: nobody may be blocked by what is stored.
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

// mostCallsAlone is how many calls an operation takes at most while nothing else
// happens, whatever is stored: the refresh, the query, and a transaction each to
// learn who has the claim, what the previous holder is, and which claims are not
// to be released, before the one that succeeds.
const mostCallsAlone = 6
