package killed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/devicetokens/devicetokens/tokens"
)

// judge says what is stored that the writes do not explain, and what is not that
// they ask for; nil if they agree. Nothing may be under way.
//
// A row is explained by a registration that nothing acknowledged changed later:
// one write is later than another if it began after the other had ended. An
// acknowledged registration that is not there has to have been removed, or its
// token taken, by a write that is not earlier.
func judge(writes []write, rows []tokens.Registration) (violations []string) {
	stored := make(map[tokens.Key]tokens.Registration)
	for _, row := range rows {
		stored[row.Key] = row
		if !slices.ContainsFunc(writes, func(w write) bool { return explains(w, row, writes) }) {
			violations = append(violations, fmt.Sprintf("%v is stored with %v, %s, and no write explains it:%s", row.Key, row.Token, row.Status, about(row.Key, writes)))
		}
	}
	for _, w := range writes {
		if _, ok := stored[w.key]; !ok && w.kind == register && w.acked && !removed(w, writes) {
			violations = append(violations, fmt.Sprintf("%v was registered with %v, acknowledged, and is gone:%s", w.key, w.token, about(w.key, writes)))
		}
	}
	slices.Sort(violations)
	return slices.Compact(violations)
}

// judgeKilled is [judge] after the engine was killed at that point. DynamoDB
// Local may forget, as a whole, the last transaction that it acknowledged, as
// TestEngine shows without this library. Which one that was, the order in which
// answers arrive does not tell for certain: so one of the last may be missing,
// and only one.
func judgeKilled(writes []write, rows []tokens.Registration, kill int64) (violations []string, forgotten bool) {
	violations = judge(writes, rows)
	if violations == nil {
		return nil, false
	}
	for i, w := range writes {
		if !w.acked || w.start > kill || w.end < kill-4*workers {
			continue
		}
		without := slices.Clone(writes)
		without[i].acked = false
		if judge(without, rows) == nil {
			return nil, true
		}
	}
	return violations, false
}

// about lists the writes that concern the registration under the key, and those
// of tokens that it had, in the order of their ends: what to read when one of
// them is in doubt.
func about(key tokens.Key, writes []write) string {
	var text strings.Builder
	for _, w := range writes {
		taken := slices.ContainsFunc(writes, func(r write) bool {
			return r.kind == register && r.key == key && w.takes(key, r.token)
		})
		if w.touches(key) || taken {
			fmt.Fprintf(&text, "\n\t%d to %d: %s %v %v, acknowledged: %t", w.start, w.end, w.kind, w.key, w.token, w.acked)
		}
	}
	return text.String()
}

// explains reports whether the row can be what the registration r left.
func explains(r write, row tokens.Registration, writes []write) bool {
	if r.kind != register || r.key != row.Key || !r.token.Equal(row.Token) {
		return false
	}
	marked := false // by the write that the row's status asks for
	for _, w := range writes {
		later := w.acked && w.start > r.end
		mark := w.kind == deactivate && w.key == row.Key ||
			w.kind == invalidate && w.key == row.Key && w.token.Equal(row.Token)
		switch {
		case later && w.kind == register && w.key == row.Key,
			later && w.removes(row.Key),
			later && w.takes(row.Key, row.Token),
			later && mark && row.Status == tokens.Active:
			return false
		case mark && w.end > r.start:
			marked = marked || w.kind == map[tokens.Status]string{
				tokens.LoggedOut:           deactivate,
				tokens.DeviceNotRegistered: invalidate,
			}[row.Status]
		}
	}
	return marked || row.Status == tokens.Active
}

// removed reports whether some write may have removed what the registration r
// left under its key, or what another one that is not earlier left there.
func removed(r write, writes []write) bool {
	held := []tokens.Token{r.token} // what the key may have had from then on
	for _, w := range writes {
		if w.kind == register && w.key == r.key && w.end > r.start {
			held = append(held, w.token)
		}
	}
	return slices.ContainsFunc(writes, func(w write) bool {
		if w.end < r.start {
			return false
		}
		return w.removes(r.key) || slices.ContainsFunc(held, func(t tokens.Token) bool { return w.takes(r.key, t) })
	})
}
