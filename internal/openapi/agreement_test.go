package openapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestValidRequests checks that the document and the server accept valid requests.
func TestValidRequests(t *testing.T) {
	agree := newAgreement(t)
	rapid.Check(t, func(t *rapid.T) {
		members := validMembers(t)
		if !agree(t, post(t, members)) {
			t.Fatalf("rejected: %q", members)
		}
		query := url.Values{tokens.FieldDeviceID: {members[tokens.FieldDeviceID].(string)}}
		if rapid.Bool().Draw(t, "says permanent") {
			query.Set("permanent", rapid.SampledFrom([]string{"true", "false"}).Draw(t, "permanent"))
		}
		if !agree(t, remove(query)) {
			t.Fatalf("rejected: %q", query)
		}
	})
}

// TestMutatedRequests checks that the document and the server agree on requests
// near the limits of validity, on both sides.
func TestMutatedRequests(t *testing.T) {
	agree := newAgreement(t)
	accepted := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		members := validMembers(t)
		field := rapid.SampledFrom([]string{
			tokens.FieldDeviceID, tokens.FieldToken, tokens.FieldPlatform, tokens.FieldProjectID, "deviceID", tokens.FieldUserID,
		}).Draw(t, "field")
		if value := mutation(field).Draw(t, "mutation"); value != nil {
			members[field] = value
		} else {
			delete(members, field)
		}
		accepted[agree(t, post(t, members))]++

		query := url.Values{
			tokens.FieldDeviceID: {nearID(128).Draw(t, "device in the query")},
			"permanent":          {rapid.SampledFrom([]string{"true", "false", "", "TRUE", "1", "true "}).Draw(t, "permanent")},
			"userId":             {httpexchanges.Bob},
		}
		delete(query, rapid.SampledFrom([]string{"", "permanent", tokens.FieldDeviceID}).Draw(t, "left out"))
		accepted[agree(t, remove(query))]++
	})
	if !t.Failed() && (accepted[true] == 0 || accepted[false] == 0) {
		t.Errorf("accepted %d, rejected %d, want some of each", accepted[true], accepted[false])
	}
}

// newAgreement returns a function that fails unless the document and the server both
// accept or both reject a request. It reports whether they accept it.
func newAgreement(tb testing.TB) func(*rapid.T, httpexchanges.Exchange) bool {
	v := newValidator(tb)
	return func(t *rapid.T, e httpexchanges.Exchange) bool {
		req, resp := do(tb, e)
		accepted := resp.StatusCode < 300
		if ok, found := v.ValidateHttpRequestSync(req); ok != accepted {
			t.Fatalf("server accepts: %v, document: %v\n%s%s %s\n%s", accepted, ok, explain(found), e.Method, req.URL, e.Body)
		}
		return accepted
	}
}

func post(t *rapid.T, members map[string]any) httpexchanges.Exchange {
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return httpexchanges.Exchange{Method: http.MethodPost, Body: string(body)}
}

func remove(query url.Values) httpexchanges.Exchange {
	return httpexchanges.Exchange{Method: http.MethodDelete, Target: httpapi.Path + "?" + query.Encode()}
}

func validMembers(t *rapid.T) map[string]any {
	members := map[string]any{
		tokens.FieldDeviceID: validID(1, 128).Draw(t, tokens.FieldDeviceID),
		tokens.FieldToken:    validToken().Draw(t, tokens.FieldToken),
		tokens.FieldPlatform: rapid.SampledFrom([]string{"ios", "android"}).Draw(t, tokens.FieldPlatform),
	}
	if rapid.Bool().Draw(t, "says the project") {
		members[tokens.FieldProjectID] = validID(0, 64).Draw(t, tokens.FieldProjectID)
	}
	return members
}

// Characters of one to four bytes, of one and two UTF-16 units, next to the control
// characters, and those that JSON escapes.
var (
	plain    = []rune("aZ09 #[]\"\\/<&'~\u00a0é\u07ff\u0800\u2028\ufeff\ufffd\uffff\U00010000\U0001F4F1\U0010FFFF")
	controls = []rune("\x00\t\n\r\x1f\x7f\u0080\u0085\u009f")
	inner    = []rune("!\"#AZ\\^_`az|}~09.:-")
	outer    = []rune(" []\x1f\x7fé\u212a\u017f")
)

func validID(least, most int) *rapid.Generator[string] {
	anything := rapid.OneOf(rapid.RuneFrom(plain), rapid.Rune().Filter(func(r rune) bool { return r > 0x9f }))
	return rapid.StringOfN(anything, least, most, -1)
}

// nearID generates ids that may be a character too long or have a control character.
func nearID(most int) *rapid.Generator[string] {
	return rapid.OneOf(
		validID(0, most),
		rapid.StringOfN(rapid.RuneFrom(plain), most-1, most+1, -1),
		rapid.Custom(func(t *rapid.T) string {
			return validID(0, most-1).Draw(t, "before") + string(rapid.RuneFrom(controls).Draw(t, "control"))
		}),
	)
}

func validToken() *rapid.Generator[string] {
	return rapid.OneOf(bracketed(rapid.RuneFrom(inner), 1, 236), bareToken(rapid.RuneFrom([]rune("azAZ09"))))
}

func bracketed(text *rapid.Generator[rune], least, most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		prefix := rapid.SampledFrom([]string{"ExponentPushToken[", "ExpoPushToken["}).Draw(t, "prefix")
		return prefix + rapid.StringOfN(text, least, most, -1).Draw(t, "inner") + "]"
	})
}

func bareToken(text *rapid.Generator[rune]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		groups := make([]string, 0, 5)
		for _, n := range []int{8, 4, 4, 4, 12} {
			groups = append(groups, rapid.StringOfN(text, n, n, -1).Draw(t, "group"))
		}
		return strings.Join(groups, "-")
	})
}

func mutation(field string) *rapid.Generator[any] {
	wrong := rapid.SampledFrom([]any{nil, 1, 1.5, true, []string{}, map[string]string{}, json.RawMessage("null"), ""})
	switch field {
	case tokens.FieldDeviceID:
		return rapid.OneOf(wrong, nearID(128).AsAny())
	case tokens.FieldProjectID:
		return rapid.OneOf(wrong, nearID(64).AsAny())
	case tokens.FieldPlatform:
		return rapid.OneOf(wrong, rapid.SampledFrom([]any{"ios", "iOS", "android ", "web"}))
	case tokens.FieldToken:
		near := rapid.RuneFrom(slices.Concat(outer, inner))
		return rapid.OneOf(wrong, bracketed(near, 0, 5).AsAny(), bareToken(rapid.RuneFrom([]rune("aZ0-\u212a"))).AsAny(),
			bracketed(rapid.RuneFrom(inner), 235, 243).AsAny(),
			rapid.SampledFrom([]any{"ExpoPushToken", "expopushtoken[x]", "ExpoPushToken[x", "x]", "ExpoPushToken[x]\n", "xExpoPushToken[x]"}))
	default:
		return wrong
	}
}
