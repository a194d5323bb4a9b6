package main

import (
	"go/format"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `package p

import "fmt"

const limit = 1 << 4

func f(a, b int, ok bool) (n int) {
	defer fmt.Println()
	if a < b && !ok {
		return -1
	}
	for i := 0; i <= limit; i++ {
		switch {
		case a == b:
			continue
		}
		n += a + a
		ok = true
	}
	return n
}
`

// changed is what is expected of sample: mutation, and the text of the line that
// it makes.
var changed = []string{
	"1 plus 1: const limit = 2 << 4",
	"<< to >>: const limit = 1 >> 4",
	"4 plus 1: const limit = 1 << 5",
	"removed: ",
	"never: if false && (a < b && !ok) {",
	"< to >=: if a >= b && !ok {",
	"< to <=: if a <= b && !ok {",
	"&& to ||: if a < b || !ok {",
	"! removed: if a < b && ok {",
	"- removed: return 1",
	"1 plus 1: return -2",
	"0 plus 1: for i := 1; i <= limit; i++ {",
	"<= to >: for i := 0; i > limit; i++ {",
	"<= to <: for i := 0; i < limit; i++ {",
	"removed: for i := 0; i <= limit;  {",
	"++ to --: for i := 0; i <= limit; i-- {",
	"== to !=: case a != b:",
	"continue to break: break",
	"removed: ",
	"+= to -=: n -= a + a",
	"+ to -: n += a - a",
	"removed: ",
	"true to false: ok = false",
}

func TestMutants(t *testing.T) {
	all, err := mutants("p.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		text := string(m.apply([]byte(sample)))
		if _, err := format.Source([]byte(text)); err != nil {
			t.Errorf("%s of %q is no Go: %v", m.Mutation, m.Code, err)
		}
		if code := strings.TrimSpace(strings.Split(sample, "\n")[m.Line-1]); code != m.Code {
			t.Errorf("line %d is %q, want %q", m.Line, code, m.Code)
		}
		if want := map[bool]string{true: "f"}[m.Line > 5]; m.Func != want {
			t.Errorf("line %d is in the function %q, want %q", m.Line, m.Func, want)
		}
		got = append(got, m.Mutation+": "+strings.TrimSpace(strings.Split(text, "\n")[m.Line-1]))
	}
	if diff := cmp.Diff(changed, got); diff != "" {
		t.Errorf("mutants (-want +got):\n%s", diff)
	}
}

func TestMutantsOnOneLineAreToldApart(t *testing.T) {
	all, err := mutants("p.go", []byte("package p\n\nvar x = a + b + c\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.Mutation)
	}
	if diff := cmp.Diff([]string{"+ to -", "+ to - (2)"}, got); diff != "" {
		t.Errorf("mutations (-want +got):\n%s", diff)
	}
}

func TestJudge(t *testing.T) {
	on := func(code string) mutant { return mutant{File: "a.go", Code: code, Mutation: "removed"} }
	about := func(file, code string) judgement {
		return judgement{File: file, Code: code, Mutation: "removed", Verdict: "equivalent", Why: "so"}
	}
	judged, killed, alone := on("judged"), on("killed"), on("alone")
	judgements := []judgement{about("a.go", "judged"), about("a.go", "killed"), about("b.go", "of another group")}
	of, unjudged, stale := judge(judgements, []mutant{judged, killed, alone}, []mutant{judged, alone})
	if of[0] != judgements[0] || len(of) != 1 {
		t.Errorf("judgements are %v", of)
	}
	if len(unjudged) != 1 || unjudged[0] != alone {
		t.Errorf("without a judgement are %v, want %v", unjudged, alone)
	}
	if diff := cmp.Diff(judgements[1:2], stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
}

// TestJudgementsApply fails when the code has moved on and a judgement has not.
func TestJudgementsApply(t *testing.T) {
	judgements, err := readJudgements("../..")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]mutant{}
	for _, j := range judgements {
		if _, ok := known[j.File]; !ok {
			source, err := os.ReadFile("../../" + j.File)
			if err != nil {
				t.Fatal(err)
			}
			if known[j.File], err = mutants(j.File, source); err != nil {
				t.Fatal(err)
			}
		}
		found := 0
		for _, m := range known[j.File] {
			if j.of(m) {
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s has no mutant %q of %q any more: remove its judgement", j.File, j.Mutation, j.Code)
		}
	}
}

// TestCounts has a report say what is wrong with a group.
func TestCounts(t *testing.T) {
	all := []mutant{{File: "a.go", Line: 1, Code: "a", Mutation: "m"}, {File: "a.go", Line: 2, Code: "b", Mutation: "m"}, {File: "a.go", Line: 3}, {File: "a.go"}}
	judgements := []judgement{{File: "a.go", Code: "a", Mutation: "m", Verdict: "equivalent", Why: "so"}}
	for name, tt := range map[string]struct {
		fates []fate
		want  string
	}{
		"too few":  {[]fate{survived, killed, killed, notViable}, "g: 66.7 % of the mutants were killed, want 85"},
		"time out": {[]fate{survived, exhausted, killed, notViable}, "a.go:2: m: no judgement in internal/mutation/survivors.json"},
		"stale":    {[]fate{killed, killed, killed, notViable}, `a.go: m of "a" was killed, or is gone: remove its judgement`},
	} {
		t.Run(name, func(t *testing.T) {
			var r report
			err := r.add(group{name: "g"}, all, tt.fates, judgements)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
