package dynamostore

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// TestSpellingArgs fills the three values of a condition with one to three texts.
func TestSpellingArgs(t *testing.T) {
	const uuid = "0123abcd-4567-89ab-cdef-0123456789ab"
	tests := []struct {
		token string
		want  [3]string
	}{
		{"ExponentPushToken[x]", [3]string{"ExponentPushToken[x]", "ExpoPushToken[x]", "ExpoPushToken[x]"}},
		{"ExpoPushToken[x]", [3]string{"ExpoPushToken[x]", "ExponentPushToken[x]", "ExponentPushToken[x]"}},
		{uuid, [3]string{uuid, "ExponentPushToken[" + uuid + "]", "ExpoPushToken[" + uuid + "]"}},
	}
	for _, tt := range tests {
		var got [3]string
		for n, a := range spellingArgs(spellings(tokens.MustParseToken(tt.token))) {
			got[n] = row{item: item{"x": a.value}}.text("x")
			if want := param(fmt.Sprintf("spelling%d", n)); a.param != want {
				t.Errorf("param %q, want %q", a.param, want)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.token, diff)
		}
	}
}

// TestSpellingsShareAClaim, and no two tokens do.
func TestSpellingsShareAClaim(t *testing.T) {
	const uuid = "0123abcd-4567-89ab-cdef-0123456789ab"
	id := func(token string) claimID { return claimOf(tokens.MustParseToken(token)) }
	if a, b, c := id(uuid), id("ExponentPushToken["+uuid+"]"), id("ExpoPushToken["+uuid+"]"); a != b || b != c {
		t.Errorf("three spellings have the claims %q, %q and %q", a, b, c)
	}
	if id("ExpoPushToken[x]") == id("ExpoPushToken[X]") {
		t.Error("two tokens have one claim")
	}
	// SHA-256 of "x", as any other tool has it.
	want := claimID("#claim#1#LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE")
	if diff := cmp.Diff(want, id("ExpoPushToken[x]")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTemplates binds values, and is loud about one that is missing.
func TestTemplates(t *testing.T) {
	if values := compile(expression.NewBuilder().WithCondition(exists())).bind(); values != nil {
		t.Errorf("an expression without values has %v", values)
	}
	b := expression.NewBuilder().WithCondition(attribute("a").Equal(hole("p")).And(attribute("b").Equal(hole("q"))))
	values := compile(b).bind(arg{"q", stringValue("2")}, arg{"p", stringValue("1")}, arg{"unused", stringValue("3")})
	var got []string
	for _, name := range []string{":0", ":1"} {
		got = append(got, row{item: values}.text(name))
	}
	if diff := cmp.Diff([]string{"1", "2"}, got); diff != "" || len(values) != 2 {
		t.Errorf("%d values (-want +got):\n%s", len(values), diff)
	}
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s does not panic", what)
			}
		}()
		f()
	}
	panics("a missing value", func() { compile(b).bind(arg{"p", stringValue("1")}) })
	panics("an empty expression", func() { compile(expression.NewBuilder()) })
}

// TestVersionsAreNew for each write.
func TestVersionsAreNew(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		v := newVersion()
		if len(v) != 22 || seen[v] {
			t.Fatalf("version %q", v)
		}
		seen[v] = true
	}
}
