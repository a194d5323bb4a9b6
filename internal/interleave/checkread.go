package interleave

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/store"
)

// checkRead compares what a read found with all that was stored while it ran.
func (s *schedule) checkRead(op *operation) string {
	switch op.method {
	case dynamostore.OpGet:
		return s.checkGet(op)
	case dynamostore.OpList:
		return s.checkList(op)
	default:
		return checkHolder(op, s.now.Add(op.server.skew))
	}
}

func (s *schedule) checkGet(op *operation) string {
	row := s.state.rows[op.req.Key]
	now := s.now.Add(op.server.skew) // of its end
	switch {
	case op.err == nil && describeRegistration(op.reg) != describe(row):
		return "it is not " + describeRegistration(op.reg)
	case errors.Is(op.err, store.ErrNotFound) && alive(row, now):
		return "it is there"
	case !errors.Is(op.err, store.ErrNotFound) && op.err != nil && readable(row):
		return "it can be decoded"
	case op.err == nil && !alive(row, now):
		return "it is expired"
	}
	return ""
}

func (s *schedule) checkList(op *operation) string {
	var want []string
	for _, i := range byKey(slices.Clone(s.state.items)) {
		if k := rowKey(i); k.UserID == op.req.Key.UserID && alive(i, op.began) && active(i) {
			want = append(want, keyName(k)+": "+describe(i))
		}
	}
	var got []string
	for _, r := range op.regs {
		got = append(got, keyName(r.Key)+": "+describeRegistration(r))
	}
	if !slices.Equal(want, got) {
		return fmt.Sprintf("got %q, want %q", got, want)
	}
	return ""
}

// checkHolder wants an answer that was right at some time while Holder ran. Who
// was live at its beginning may be expired at its end.
func checkHolder(op *operation, ended time.Time) string {
	for _, t := range op.seen {
		if op.err != nil {
			if t.holder(op.req.Token, op.began).IsZero() || t.holder(op.req.Token, ended).IsZero() {
				return ""
			}
			continue
		}
		row := t.rows[op.reg.Key]
		if describe(row) == describeRegistration(op.reg) && holdsToken(row, op.req.Token) && alive(row, op.began) {
			return ""
		}
	}
	return "that was not so at any time since it began"
}
