package spelling_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/internal/spelling"
)

const bare = "1a2B3c4D-aaaa-BBBB-0000-0123456789aZ"

func TestValidIsAnchored(t *testing.T) {
	// Length is the caller's business here.
	long := "ExponentPushToken[" + strings.Repeat("x", 1000) + "]"
	for text, want := range map[string]bool{
		"ExponentPushToken[x]": true, "ExpoPushToken[x]": true, bare: true, long: true,
		"": false, "x": false, "[x]": false, "ExpoPushToken[]": false, "xExpoPushToken[x]": false, "ExpoPushToken[x]x": false,
		"x" + bare: false, bare + "x": false, bare + "]": false, "ExpoPushToken[" + bare: false, "ExpoPushToken" + bare + "]": false,
		"1a2B3\u212a-aaaa-BBBB-0000-0123456789aZ": false, "ExpoPushToken[\u212a]": false,
	} {
		if got := spelling.Valid(text); got != want {
			t.Errorf("%.60q: got %t, want %t", text, got, want)
		}
	}
}

func TestAll(t *testing.T) {
	inner := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"the longer", "ExponentPushToken[x]", []string{"ExponentPushToken[x]", "ExpoPushToken[x]"}},
		{"the shorter", "ExpoPushToken[x]", []string{"ExpoPushToken[x]", "ExponentPushToken[x]"}},
		{"bare", bare, []string{bare, "ExponentPushToken[" + bare + "]", "ExpoPushToken[" + bare + "]"}},
		{
			"the bare form in brackets", "ExpoPushToken[" + bare + "]",
			[]string{"ExpoPushToken[" + bare + "]", "ExponentPushToken[" + bare + "]", bare},
		},
		{
			"as long as the longer may be", "ExpoPushToken[" + inner(236) + "]",
			[]string{"ExpoPushToken[" + inner(236) + "]", "ExponentPushToken[" + inner(236) + "]"},
		},
		{"too long for the longer", "ExpoPushToken[" + inner(237) + "]", []string{"ExpoPushToken[" + inner(237) + "]"}},
		{"as long as the shorter may be", "ExpoPushToken[" + inner(240) + "]", []string{"ExpoPushToken[" + inner(240) + "]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, spelling.All(tt.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	for text, want := range map[string]string{
		"ExponentPushToken[x]": "x", "ExpoPushToken[x]": "x", bare: bare, "ExpoPushToken[" + bare + "]": bare,
		"ExpoPushToken[ExpoPushToken]": "ExpoPushToken",
	} {
		if got := spelling.Identity(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

var grammar = regexp.MustCompile(`^(Expo(nent)?PushToken\[[!-Z\\^-~]+\]|[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12})$`)

// checkAll fails unless the spellings of text are what All promises: at most
// three, each valid and of one identity, and the same set from whichever of them
// one begins.
func checkAll(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string) {
	t.Helper()
	all := spelling.All(text)
	if all[0] != text || len(all) > 3 {
		t.Fatalf("%d spellings, the first %q", len(all), all[0])
	}
	sorted := slices.Sorted(slices.Values(all))
	if len(slices.Compact(slices.Clone(sorted))) != len(all) {
		t.Fatalf("a spelling twice: %q", all)
	}
	for _, other := range all {
		if len(other) > spelling.MaxBytes || !spelling.Valid(other) || spelling.Identity(other) != spelling.Identity(text) {
			t.Fatalf("%q is no spelling of %q", other, text)
		}
		if diff := cmp.Diff(sorted, slices.Sorted(slices.Values(spelling.All(other)))); diff != "" {
			t.Fatalf("another set from %q (-want +got):\n%s", other, diff)
		}
	}
}

func TestSpellingsAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkAll(t, rapid.OneOf(
			rapid.StringMatching(`ExponentPushToken\[[!-Z\\^-~]{1,236}\]`),
			rapid.StringMatching(`ExpoPushToken\[[!-Z\\^-~]{1,240}\]`),
			rapid.StringMatching(`[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}`),
			rapid.StringMatching(`ExpoPushToken\[[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}\]`),
		).Draw(t, "text"))
	})
}

func FuzzSpelling(f *testing.F) {
	for _, seed := range []string{"", bare, "ExpoPushToken[x]", "ExponentPushToken[" + bare + "]", "ExpoPushToken[[x]]", "ExpoPushToken[\u212a]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		valid := spelling.Valid(text)
		if want := grammar.MatchString(text); valid != want {
			t.Fatalf("valid: %t, want %t", valid, want)
		}
		if valid && len(text) <= spelling.MaxBytes {
			checkAll(t, text)
		}
	})
}
