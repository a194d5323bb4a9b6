package storetest

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/devicetokens/devicetokens/store"
)

// A broken rule is a fault of the store in faulty_test.go, and the checks that
// are about it, which have to reject the store. Others may.
type broken struct {
	fault  string
	checks []string
}

func brokenRules() []broken {
	return slices.Concat(brokenRegister, brokenLimit, brokenReads, brokenRemovals, brokenCorrupt, brokenAlways,
		brokenInspect, brokenWalk, brokenImport, brokenFolds(), brokenMixed(), brokenSoon,
		brokenPairs, brokenEnding, brokenHandles)
}

// caughtBy returns which of the wanted checks reject a store with the fault.
// Two calls at once do not always meet: those that race have several attempts.
func caughtBy(t *testing.T, fault string, b Backend, attempts int, wanted func(name string) bool) (caught []string, asked map[string]bool) {
	t.Helper()
	var last *faulty
	b.New = func(_ testing.TB, p store.Policy) store.Store {
		last = newFaulty(fault, p)
		return last
	}
	b = faultyBackend(b)
	asked = map[string]bool{}
	for _, c := range checks(b) {
		if !wanted(c.name) {
			continue
		}
		n := 1
		if races(c.name) {
			n = attempts
		}
		for range n {
			r := &recorder{TB: t}
			failures := r.run(func(t testing.TB) { c.run(newFixture(t, b, c.policy)) })
			maps.Copy(asked, last.asked)
			if len(failures) > 0 {
				caught = append(caught, c.name)
				break
			}
		}
	}
	return caught, asked
}

func races(check string) bool { return strings.HasPrefix(check, "Race/") }

// TestSuiteRejects holds the suite to its purpose: each broken store is rejected
// by the checks that are about the rule.
func TestSuiteRejects(t *testing.T) {
	for _, rule := range brokenRules() {
		t.Run(rule.fault, func(t *testing.T) {
			caught, _ := caughtBy(t, rule.fault, Backend{}, 3, func(name string) bool {
				return slices.Contains(rule.checks, name)
			})
			t.Logf("rejected by %s", strings.Join(caught, ", "))
			for _, name := range rule.checks {
				if !slices.Contains(caught, name) {
					t.Errorf("%s does not reject it", name)
				}
			}
		})
	}
}

// TestEachCheckRejects fails if no broken store shows that a check can fail, or
// if the table above names what does not exist.
func TestEachCheckRejects(t *testing.T) {
	needed, faults := map[string]bool{}, map[string]bool{}
	for _, rule := range brokenRules() {
		if len(rule.checks) == 0 {
			t.Errorf("no check is about the store that %s", rule.fault)
		}
		if faults[rule.fault] {
			t.Errorf("listed twice: %s", rule.fault)
		}
		faults[rule.fault] = true
		for _, name := range rule.checks {
			needed[name] = true
		}
	}
	names := map[string]bool{}
	for _, c := range checks(faultyBackend(Backend{})) {
		if names[c.name] {
			t.Errorf("two checks are named %s", c.name)
		}
		names[c.name] = true
		if !needed[c.name] {
			t.Errorf("no broken store needs %s to be rejected", c.name)
		}
	}
	for name := range needed {
		if !names[name] {
			t.Errorf("there is no check %s", name)
		}
	}
	_, asked := caughtBy(t, "", Backend{}, 1, func(string) bool { return true })
	for fault := range asked {
		if !faults[fault] {
			t.Errorf("the faulty store knows %q, which no test asks for", fault)
		}
	}
}

// TestLoose has a fault that is none where the backend declares it.
func TestLoose(t *testing.T) {
	for fault, b := range map[string]Backend{
		"counts, then writes":                  {LooseLimit: true},
		"List reads one by one":                {LooseList: true},
		"Holder gives up when the token moves": {LooseHolder: true},
	} {
		caught, _ := caughtBy(t, fault, b, 3, races)
		if len(caught) > 0 {
			t.Errorf("a backend that declares it is rejected: %s, by %s", fault, strings.Join(caught, ", "))
		}
	}
}

// A recorder is a testing.TB whose failures are a result, not the test's.
type recorder struct {
	testing.TB

	mu       sync.Mutex
	failures []string
}

// run calls f in a goroutine of its own, which a fatal failure ends, and returns
// what failed. A panic is a failure.
func (r *recorder) run(f func(testing.TB)) (failures []string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		f(r)
	}()
	<-done
	return r.failures
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }
func (r *recorder) Error(args ...any)                 { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any)                 { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fail()                             { r.Errorf("failed") }
func (r *recorder) FailNow()                          { r.Fatalf("failed") }
func (r *recorder) Log(...any)                        {}
func (r *recorder) Logf(string, ...any)               {}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures) > 0
}
