package storetest

import (
	"strings"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var keyChecks = []check{
	{name: "Keys/Distinct", rule: "keys", run: keysDistinct},
	{name: "Keys/Greatest", rule: "keys", run: keysGreatest},
}

// keysDistinct has keys that become one where the two ids are joined by a
// separator, trimmed, normalized, or compared without regard to case; and ids
// that look like something a store might keep for itself.
func keysDistinct(f *fixture) {
	keys := []tokens.Key{
		key("a", "b#c"), key("a#b", "c"), key("a#b#c", "#"), key("a", "#b#c"),
		key("a", "b/c"), key("a/b", "c"),
		key("a", "b:c"), key("a:b", "c"),
		key("a", "b|c"), key("a|b", "c"),
		key("a", "b,c"), key("a,b", "c"),
		key("a", "b c"), key("a b", "c"), key("a ", "b c"), key("a", " b c"),
		key("a", "bc"), key("ab", "c"),
		key("a", "BC"), key("A", "bc"),
		key("é", "x"), key("e\u0301", "x"),
		key("user", "#"), key("user", "##"), key("user", "#claim#1#"),
		key("claim#1#", "#"), key("1", "1"), key("true", "null"), key("*", "%"),
		key(`"`, `'`), key(`\`, `\\`), key("{}", "[]"), key("..", "../.."),
	}
	for i, k := range keys {
		req := request(k.UserID, k.DeviceID, token(i))
		f.wantResult(req, store.Created, start, f.register(req))
	}
	for i, k := range keys {
		f.wantStored(f.registered(request(k.UserID, k.DeviceID, token(i)), start, start))
		f.delete(k)
		f.wantNone(k)
	}
}

// keysGreatest has values of the greatest length, in the longest characters.
// None is beside another that differs in its last character alone.
func keysGreatest(f *fixture) {
	long := func(n int, last string) string { return strings.Repeat("\U0001f4f1", n-1) + last }
	for i, last := range []string{"\U0001f4f1", "\U0001f4f2"} {
		req := request(
			tokens.UserID(long(tokens.MaxUserIDLen, last)),
			tokens.DeviceID(long(tokens.MaxDeviceIDLen, last)),
			tokens.MustParseToken("ExpoPushToken["+strings.Repeat("x", tokens.MaxTokenBytes-16)+string(rune('0'+i))+"]"),
		)
		req.ProjectID = tokens.ProjectID(long(tokens.MaxProjectIDLen, last))
		f.wantResult(req, store.Created, start, f.register(req))
		f.wantDevices(req.Key.UserID, req.Key.DeviceID)
	}
}
