package linearizability

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A state has the row of each key. The zero row is none.
type state [len(keys)]row

// A row is a registration. Its tag is the project ID, which is unique for each Register,
// so that a read shows which Register wrote the row.
type row struct {
	token  int // index, from 1
	status tokens.Status
	tag    tokens.ProjectID
}

// A step is a call, or a part of one that concerns one key.
type step struct {
	method method
	key    int // index
	token  int // index, from 1
	tag    tokens.ProjectID
	old    bool // the message of Invalidate was sent too early
}

type method string

const (
	register   method = "register"
	get        method = "get"
	list       method = "list" // of one key
	holder     method = "holder"
	deactivate method = "deactivate"
	invalidate method = "invalidate"
	remove     method = "delete"
)

// An answer is what a step returned.
type answer struct {
	unknown bool // a write: perhaps applied
	again   bool // Holder: try again
	found   bool // reads
	key     int  // Holder
	row     row  // reads
	outcome store.Outcome
	moved   int // key index + 1, 0 for none
}

var model = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{state{}} },
	Step: func(s, in, out any) []any { return next(s.(state), in.(step), out.(answer)) },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%+v: %+v", in, out)
	},
}).ToModel()

// next returns the states that may follow, none if the answer is wrong.
func next(s state, in step, out answer) []any {
	if in.method == get || in.method == list || in.method == holder {
		if out.again || read(s, in) == out {
			return []any{s}
		}
		return nil
	}
	after, want := write(s, in)
	switch out {
	case answer{unknown: true}:
		return []any{s, after}
	case want:
		return []any{after}
	default:
		return nil
	}
}

func read(s state, in step) answer {
	if in.method == holder {
		for k, r := range s {
			if r.token == in.token {
				return answer{found: true, key: k, row: r}
			}
		}
		return answer{}
	}
	r := s[in.key]
	if r.token == 0 || in.method == list && r.status != tokens.Active {
		return answer{}
	}
	return answer{found: true, key: in.key, row: r}
}

func write(s state, in step) (state, answer) {
	own := &s[in.key]
	switch in.method {
	case register:
		return take(s, in)
	case deactivate:
		if own.status == tokens.Active {
			own.status = tokens.LoggedOut
		}
	case invalidate:
		if own.token == in.token && own.status == tokens.Active && !in.old {
			own.status = tokens.DeviceNotRegistered
		}
	case remove:
		*own = row{}
	}
	return s, answer{}
}

func take(s state, in step) (state, answer) {
	var out answer
	for k, r := range s {
		if k != in.key && r.token == in.token {
			if keys[k].UserID != keys[in.key].UserID && r.status == tokens.Active {
				out.moved = k + 1
			}
			s[k] = row{}
		}
	}
	switch s[in.key].token {
	case 0:
		out.outcome = store.Created
	case in.token:
		out.outcome = store.Refreshed
	default:
		out.outcome = store.Replaced
	}
	s[in.key] = row{token: in.token, status: tokens.Active, tag: in.tag}
	return s, out
}
