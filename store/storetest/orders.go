package storetest

import (
	"context"
	"slices"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A step is an action of a pair, 0 or 1, or an atomic part of it.
type step struct {
	who int
	do  func(context.Context, store.Store) (string, error)
}

// orders returns the outcome of each serial order of the two actions on memstore.
// An action that was repeated may have been applied twice.
func (p *pair) orders(again [2]bool) []string {
	p.Helper()
	if known, ok := p.expected[again]; ok {
		return known
	}
	var all []string
	for _, a := range p.steps(0, again) {
		for _, b := range p.steps(1, again) {
			for _, order := range interleave(a, b) {
				all = append(all, p.play(order, again, false))
				if p.LooseLimit && p.actions[0].registers && p.actions[1].registers {
					all = append(all, p.play(order, again, true))
				}
			}
		}
	}
	slices.Sort(all)
	p.expected[again] = slices.Compact(all)
	return p.expected[again]
}

// steps returns the ways in which an action may be applied: in one step, but DeleteUser in a
// step for each registration, in any order, with or without that of the other action.
func (p *pair) steps(who int, again [2]bool) [][]step {
	a, other := p.actions[who], p.actions[1-who]
	whole := []step{{who, a.do}}
	ways := [][]step{whole}
	if a.erases != "" && a.erases != other.erases {
		erase := func(k tokens.Key) step {
			return step{who, func(ctx context.Context, s store.Store) (string, error) { return "", s.Delete(ctx, k) }}
		}
		var each []step
		for _, req := range scene(0).registered() {
			if req.Key.UserID == a.erases {
				each = append(each, erase(req.Key))
			}
		}
		ways = permutations(each)
		for _, way := range slices.Clone(ways) {
			for _, req := range other.on {
				if req.Key.UserID == a.erases {
					ways = append(ways, append(slices.Clone(way), erase(req.Key)))
				}
			}
		}
	}
	if again[who] {
		for i := range ways {
			ways[i] = append(slices.Clone(ways[i]), whole...)
		}
	}
	return ways
}

func permutations(all []step) [][]step {
	if len(all) < 2 {
		return [][]step{all}
	}
	var perms [][]step
	for i := range all {
		rest := slices.Concat(all[:i], all[i+1:])
		for _, perm := range permutations(rest) {
			perms = append(perms, append([]step{all[i]}, perm...))
		}
	}
	return perms
}

// interleave returns the orders of the steps that keep those of a and of b in order.
func interleave(a, b []step) [][]step {
	if len(a) == 0 || len(b) == 0 {
		return [][]step{slices.Concat(a, b)}
	}
	var all [][]step
	for _, rest := range interleave(a[1:], b) {
		all = append(all, append([]step{a[0]}, rest...))
	}
	for _, rest := range interleave(a, b[1:]) {
		all = append(all, append([]step{b[0]}, rest...))
	}
	return all
}

// play returns the outcome of the steps on memstore. If loose, the last step has a
// limit that is greater by one.
func (p *pair) play(order []step, again [2]bool, loose bool) string {
	p.Helper()
	twin := memstore.MustNew(p.policy)
	p.must(p.set(twin), "memstore")
	var answers [2]string
	for i, s := range order {
		if loose && i == len(order)-1 {
			twin = p.raised(twin)
		}
		var err error
		answers[s.who], err = s.do(p.Context(), twin)
		p.must(err, "memstore")
	}
	return p.outcome(twin, answers, again)
}

func (p *pair) raised(from *memstore.Store) *memstore.Store {
	p.Helper()
	policy := p.policy
	policy.MaxDevices++
	to := memstore.MustNew(policy)
	for r, err := range store.Walk(p.Context(), from, "", 100) {
		p.must(err, "memstore")
		p.must(errorOf(to.Import(p.Context(), r.Registration)), "memstore")
	}
	return to
}
