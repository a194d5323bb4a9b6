package tokens_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/tokens"
)

// crashes end a process with the token at hand. They run in a process of their
// own, whose whole output is read: the runtime prints a panic by rules of its own,
// not by those of fmt.
var crashes = map[string]func(){
	"token":                       func() { panic(leaky) },
	"pointer to a token":          func() { panic(&leaky) },
	"registration":                func() { panic(leakyRegistration()) },
	"somebody's struct":           func() { panic(*newTheirs()) },
	"error":                       func() { panic(fmt.Errorf("no phone for %v", leaky)) },
	"error of errors":             func() { panic(errors.Join(fmt.Errorf("%+v", *newTheirs()), fmt.Errorf("%#v", leakyRequest()))) },
	"Stringer":                    func() { panic(fmt.Stringer(leaky)) },
	"panic while it is handled":   func() { defer func() { panic(leaky) }(); panic(leakyRegistration()) },
	"panic again":                 func() { defer func() { panic(recover()) }(); panic(leaky) },
	"comparison of interfaces":    func() { fmt.Println(any(leaky) == any(leaky)) },
	"map of interfaces":           func() { fmt.Println(map[any]bool{any(leaky): true}) },
	"wrong type assertion":        func() { fmt.Println(any(leaky).(fmt.GoStringer)) },
	"wrong type":                  func() { fmt.Println(any(leaky).(string)) },
	"reading an unexported field": func() { fmt.Println(reflect.ValueOf(*newTheirs()).Field(0).Interface()) },
	"text that is no token":       func() { tokens.MustParseToken("ExponentPushToken [" + secret + "]") },
	"goroutine with the token":    func() { deep(leaky, *newTheirs(), nil) },
}

// deep has the token in the arguments that a stack trace shows.
func deep(t tokens.Token, s theirs, p *int) int {
	if t.IsZero() {
		return deep(s.value, s, p)
	}
	return *p
}

const crashVariable = "DEVICETOKENS_TEST_CRASH"

func TestMain(m *testing.M) {
	if crash, ok := crashes[os.Getenv(crashVariable)]; ok {
		crash()
		os.Exit(0) // the parent wants a panic
	}
	os.Exit(m.Run())
}

func TestCrashes(t *testing.T) {
	for name := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), crashVariable+"="+name, "GOTRACEBACK=all")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "panic: ") || !strings.Contains(string(out), "goroutine 1") {
				t.Fatalf("no panic, but error %v and %q", err, out)
			}
			wantNoLeak(t, "the panic", string(out))
			if name == "token" && !strings.Contains(string(out), leaky.String()) {
				t.Errorf("the panic does not show %s: %s", leaky, out)
			}
		})
	}
}

// Programs log the recovered value of a panic with fmt.
func TestRecovered(t *testing.T) {
	for name, crash := range crashes {
		func() {
			defer func() {
				r := recover()
				wantNoLeak(t, "recovered: "+name, fmt.Sprint(r)+fmt.Sprintf("%+v %#v %q", r, r, r))
				if r == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			crash()
		}()
	}
}

// TestLogged is what TestTestingLog watches from outside.
func TestLogged(t *testing.T) {
	for _, v := range carriers() {
		t.Log(v)
		t.Log("v", v, v)
		t.Logf("%v %+v", v, v)
	}
}

func TestTestingLog(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestLogged$")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestLogged") || !strings.Contains(string(out), leaky.String()) {
		t.Fatalf("error %v and %q", err, out)
	}
	wantNoLeak(t, "t.Log", string(out))
}
