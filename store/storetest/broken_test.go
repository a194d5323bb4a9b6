package storetest

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
)

// A broken rule is a fault of the faulty store, and the checks that are about it,
// which have to reject the store. Others may.
type broken struct {
	fault  string
	checks []string
}

var brokenRules = sync.OnceValue(func() []broken {
	literal := slices.DeleteFunc(callsOfHas(), func(b broken) bool { return len(b.checks) == 0 })
	return slices.Concat(literal, faultsOfMethods(), brokenFolds(), brokenMixed(), brokenSoon())
})

// callsOfHas returns the literal arguments of each call of has in this package: a
// fault and its checks, a fault that has its checks at another call, or the part of a
// fault that follows the method.
func callsOfHas() (all []broken) {
	files, err := filepath.Glob("faulty*_test.go")
	if err != nil {
		panic(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			panic(err)
		}
		for n := range ast.Preorder(file) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				continue
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "has" {
				continue
			}
			var texts []string
			for _, arg := range call.Args {
				if sum, ok := arg.(*ast.BinaryExpr); ok {
					arg = sum.Y
				}
				texts = append(texts, strings.Trim(arg.(*ast.BasicLit).Value, `"`))
			}
			all = append(all, broken{texts[0], texts[1:]})
		}
	}
	return all
}

// faultsOfMethods returns the faults that several methods may have. A star in the
// name of a check stands for the method.
func faultsOfMethods() (all []broken) {
	const (
		marks    = "Deactivate Invalidate"
		erasures = "Delete DeleteUser"
		changes  = "Register Import " + marks + " " + erasures
		every    = "Get List Holder Inspect Segments Page " + changes
	)
	add := func(methods, checks string, faults ...string) {
		for method := range strings.FieldsSeq(methods) {
			for _, fault := range faults {
				all = append(all, broken{method + " " + fault, strings.Split(strings.ReplaceAll(checks, "*", method), ", ")})
			}
		}
	}
	add(every, "Clock/ReadOnce", "reads the clock again")
	add(every, "Invalid/*", "takes invalid arguments")
	add(every, "Context/*", "ignores a canceled context")
	add(changes, "Context/*", "denies a write during which the context ended")
	add("Get List Holder", "Pairs/Expired", "erases by its key what has expired")
	add("Get List Holder", "Expiry/Boundary", "shows what has expired")
	add("Get Holder", "*/Absent", "returns nothing without an error")
	add("Get Holder", "*/Inactive", "hides what is inactive")
	add("Get Holder", "Corrupt/*", "hides what cannot be decoded", "shows what cannot be decoded", "names the key of what cannot be decoded")

	add(marks+" "+erasures, "*/Absent", "of nothing is an error")
	add(marks+" "+erasures, "*/Late", "hits whoever has the token by now")
	add(marks+" "+erasures, "*/Expired", "leaves what has expired")
	add(marks, "*/Absent", "of nothing stores something")
	add(marks, "*/Marks", "erases", "sets updatedAt")
	add(marks, "*/Marks, Expiry/OnlyRegisterProlongs", "prolongs")
	add(marks, "*/KeepsTheReason", "overwrites the reason")
	add(marks, "Import/NoReasonKnown", "gives a reason where none is known")
	add(marks, "*/OnlyTheDevice", "marks all devices of the user", "marks the device of every user")
	add(marks, "Ending/*", "gives up after it erased the row to write it again")
	add(marks, "Pairs/RefreshAnd*", "writes back what it read")
	add(marks, "Corrupt/*", "fails on what cannot be decoded", "erases what cannot be decoded")
	add(erasures, "*/Erases", "leaves what is inactive", "leaves the token in its index")
	add(erasures, "Clock/RemoveInThePast", "leaves what registered later")
	add(erasures, "Corrupt/*", "leaves what cannot be decoded")

	for method, subject := range map[string]string{"Inspect": "Inspect/", "Page": "Walk/"} {
		add(method, subject+"EveryState",
			"hides what is inactive", "hides what has expired", "shows what has expired as inactive", "counts as a use",
			"leaves out what cannot be decoded", "fails on what cannot be decoded", "shows what cannot be decoded as a registration",
			"shows what it read of what cannot be decoded", "names the key of what cannot be decoded", "gives a reason that is no CorruptError")
		add(method, subject+"Values", "returns one slice each time")
	}
	return all
}

// caughtBy returns which of the rule's checks reject the store that breaks it.
// Two calls at once do not always meet: those that race have several attempts.
func (rule broken) caughtBy(t *testing.T, b Backend, attempts int) (caught []string) {
	t.Helper()
	b.New = func(_ testing.TB, p store.Policy) store.Store { return newFaulty(rule.fault, p) }
	b = faultyBackend(b)
	b.Long = true
	for _, c := range checks(b) {
		if !slices.Contains(rule.checks, c.name) {
			continue
		}
		n := 1
		if races.MatchString(c.name) {
			n = attempts
		}
		for range n {
			r := &recorder{TB: t}
			if failures := r.run(func(t testing.TB) { c.run(newFixture(t, b, c.policy)) }); len(failures) > 0 {
				caught = append(caught, c.name)
				break
			}
		}
	}
	return caught
}

var races = regexp.MustCompile("^(Race|Pairs|Handles/Pairs)")

// TestSuiteRejects holds the suite to its purpose: each broken store is rejected
// by the checks that are about the rule.
func TestSuiteRejects(t *testing.T) {
	for _, rule := range brokenRules() {
		t.Run(rule.fault, func(t *testing.T) {
			caught := rule.caughtBy(t, Backend{}, 3)
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
// if a fault names a check that does not exist.
func TestEachCheckRejects(t *testing.T) {
	needed, faults := map[string]bool{}, map[string]bool{}
	for _, rule := range brokenRules() {
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
	for _, call := range callsOfHas() {
		listed := func(rule broken) bool {
			return rule.fault == call.fault || call.fault[0] == ' ' && strings.HasSuffix(rule.fault, call.fault)
		}
		if !slices.ContainsFunc(brokenRules(), listed) {
			t.Errorf("no check is named for the store that %s", call.fault)
		}
	}
}

// TestFaultless: the suite accepts the faulty store without a fault.
func TestFaultless(t *testing.T) {
	Run(t, faultyBackend(Backend{New: func(_ testing.TB, p store.Policy) store.Store { return newFaulty("", p) }}))
}

// TestLoose has a fault that is none where the backend declares it.
func TestLoose(t *testing.T) {
	declares := map[string]Backend{
		"counts, then writes":                  {LooseLimit: true},
		"List reads one by one":                {LooseList: true},
		"Holder gives up when the token moves": {LooseHolder: true},
	}
	for _, rule := range brokenRules() {
		b, loose := declares[rule.fault]
		if !loose {
			continue
		}
		delete(declares, rule.fault)
		if caught := rule.caughtBy(t, b, 1); len(caught) > 0 {
			t.Errorf("a backend that declares it is rejected: %s, by %s", rule.fault, strings.Join(caught, ", "))
		}
	}
	for fault := range declares {
		t.Errorf("there is no broken store that %s", fault)
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

// TestRules: the rules that the comment of package store lists are those that
// the checks are about.
func TestRules(t *testing.T) {
	comment, err := os.ReadFile("../doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^//   - ([a-z-]+): `).FindAllSubmatch(comment, -1) {
		documented = append(documented, string(m[1]))
	}
	slices.Sort(documented)
	checked := map[string]bool{}
	for _, c := range checks(faultyBackend(Backend{})) {
		checked[c.rule] = true
	}
	if diff := cmp.Diff(documented, slices.Sorted(maps.Keys(checked))); diff != "" {
		t.Errorf("rules without a check (-), checks without a rule (+):\n%s", diff)
	}
}
