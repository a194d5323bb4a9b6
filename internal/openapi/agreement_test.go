package openapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
)

// Characters of one to four bytes, of one and two UTF-16 units, next to the control
// characters and the limits of a token's, and those that JSON escapes.
const characters = "aZ09 !#[]\"\\/<&'~:-@`{\u00a0é\u07ff\u0800\u2028\ufeff\ufffd\uffff\U00010000\U0001F4F1\U0010FFFF\u212a\u017f" +
	"\x00\t\n\r\x1f\x7f\u0080\u0085\u009f"

// TestAgreement checks that the document and the server both accept or both reject
// requests on both sides of each limit.
func TestAgreement(t *testing.T) {
	valid := map[string]any{"deviceId": "phone", "expoPushToken": "ExpoPushToken[x]", "platform": "ios"}
	var bodies []map[string]any
	with := func(field string, values ...any) {
		for _, value := range values {
			members := maps.Clone(valid)
			members[field] = value
			bodies = append(bodies, members)
		}
	}
	queries := []url.Values{{}, {"permanent": {"true"}}, {"userId": {httpexchanges.Bob}}}
	device := func(id string) {
		with("deviceId", id)
		queries = append(queries, url.Values{"deviceId": {id}})
	}
	for _, c := range characters {
		text := string(c)
		device("a" + text)
		with("projectId", text)
		with("expoPushToken", "ExponentPushToken["+text+"]", "ExpoPushToken[x]"+text,
			"0123456"+text+"-aaaa-BBBB-0000-0123456789aZ", "01234567"+text+"aaaa-BBBB-0000-0123456789aZ")
	}
	for _, text := range []string{"a", "é", "\U0001F4F1"} {
		for _, n := range []int{0, 1, 127, 128, 129} {
			device(strings.Repeat(text, n))
			with("projectId", strings.Repeat(text, n/2), strings.Repeat(text, n/2+1))
		}
	}
	for n := 235; n < 243; n++ {
		inner := strings.Repeat("x", n) + "]"
		with("expoPushToken", "ExponentPushToken["+inner, "ExpoPushToken["+inner)
	}
	with("expoPushToken", "ExpoPushToken", "expopushtoken[x]", "ExpoPushToken[x", "ExpoPushToken[]", "x]")
	with("platform", "android", "iOS", "android ", "web")
	for _, field := range []string{"deviceId", "expoPushToken", "platform", "projectId", "deviceID", "userId"} {
		with(field, nil, 1, 1.5, true, []string{}, map[string]string{}, "")
		without := maps.Clone(valid)
		delete(without, field)
		bodies = append(bodies, without)
	}
	for _, permanent := range []string{"true", "false", "", "TRUE", "1", "true "} {
		queries = append(queries, url.Values{"deviceId": {"phone"}, "permanent": {permanent}})
	}

	v := newValidator(t)
	counts := map[bool]int{}
	agree := func(e httpexchanges.Exchange) {
		t.Helper()
		req, resp := do(t, e)
		accepted := resp.StatusCode < 300
		counts[accepted]++
		if ok, found := v.ValidateHttpRequestSync(req); ok != accepted {
			t.Errorf("server accepts: %v, document: %v\n%s%s %s\n%s", accepted, ok, explain(found), e.Method, req.URL, e.Body)
		}
	}
	for _, members := range bodies {
		body, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		agree(httpexchanges.Exchange{Method: http.MethodPost, Body: string(body)})
	}
	for _, query := range queries {
		agree(httpexchanges.Exchange{Method: http.MethodDelete, Target: httpapi.Path + "?" + query.Encode()})
	}
	if counts[true] < 50 || counts[false] < 50 {
		t.Errorf("accepted %d, rejected %d, want more of each", counts[true], counts[false])
	}
}
