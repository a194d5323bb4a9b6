package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var keyChecks = []check{
	{"Keys/Distinct", "keys", defaults, keysDistinct},
	{"Keys/Joined", "keys", defaults, keysJoined},
	{"Keys/Users", "keys", defaults, func(f *fixture) {
		f.tellsApart(textPairs(tokens.MaxUserIDLen), func(text string, n int) tokens.Request {
			return request(tokens.UserID(text), phone, token(n))
		})
	}},
	{"Keys/Devices", "keys", defaults, func(f *fixture) {
		f.tellsApart(textPairs(tokens.MaxDeviceIDLen), func(text string, n int) tokens.Request {
			return request(alice, tokens.DeviceID(text), token(n))
		})
	}},
	{"Keys/Tokens", "one-holder", defaults, keysTokens},
	{"Keys/Projects", "refreshed", defaults, func(f *fixture) {
		req := owned
		f.register(req)
		for _, pair := range textPairs(tokens.MaxProjectIDLen) {
			for _, project := range pair {
				f.clock.advance(time.Second)
				req.ProjectID = tokens.ProjectID(project)
				f.refreshes(req, start)
			}
		}
	}},
}

// keysDistinct has keys that become one if the ids are joined, trimmed, normalized, or
// compared without regard to case, and ids that look like a store's own.
func keysDistinct(f *fixture) {
	keys := []tokens.Key{
		key("a", "b#c"), key("a#b", "c"), key("a#b#c", "#"), key("a", "#b#c"),
		key("a", "b c"), key("a b", "c"), key("a ", "b c"), key("a", " b c"),
		key(" ", "  "), key(".", "."), key("__x__", "$x"),
		key("a", "bc"), key("ab", "c"),
		key("a", "BC"), key("A", "bc"),
		key("é", "x"), key("e\u0301", "x"),
		key("user", "#"), key("user", "##"), key("user", "#claim#1#"),
		key("claim#1#", "#"), key("1", "1"), key("true", "null"), key("*", "%"),
		key(`"`, `'`), key(`\`, `\\`), key("{}", "[]"), key("..", "../.."),
	}
	for i, k := range keys {
		f.creates(request(k.UserID, k.DeviceID, token(i)))
	}
	for i, k := range keys {
		f.wantStored(f.registered(request(k.UserID, k.DeviceID, token(i)), start, start))
		f.delete(k)
		f.wantNone(k)
	}
}

// keysJoined has two keys for each separator that become one if a store joins the ids by it.
func keysJoined(f *fixture) {
	separators := strings.Split("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \u00a0", "")
	separators = append(separators, "::", "--", "__", "||", "//")
	var reqs []tokens.Request
	for i, sep := range separators {
		user := string(rune('A' + i))
		reqs = append(reqs,
			request(tokens.UserID(user), tokens.DeviceID("b"+sep+"c"), token(2*i)),
			request(tokens.UserID(user+sep+"b"), "c", token(2*i+1)))
	}
	for some := range slices.Chunk(reqs, 2*workers) {
		f.registerAll(some)
	}
	for i, req := range reqs {
		got, err := f.store.Get(f.Context(), req.Key)
		if err != nil || !cmp.Equal(f.registered(req, start, start), got, exactly) {
			f.Fatalf("%v and %v are taken for one key: Get of the one returns %+v and error %v", reqs[i&^1].Key, reqs[i|1].Key, got, err)
		}
	}
}

// textPairs returns pairs of ids of at most n characters. The two of a pair differ in one
// respect, which collations, normalizations and conversions ignore.
func textPairs(n int) [][2]string {
	repeat := func(s string, n int) string { return strings.Repeat(s, n) }
	return [][2]string{
		{"space", "space "}, {"start", " start"}, {"in side", "in  side"}, {"blank ", "blank\u00a0"}, {"end", "end\u00a0"}, {"line", "line\u2028"},
		{"case", "Case"}, {"é", "É"}, {"ß", "ẞ"}, {"strasse", "straße"}, {"ς", "σ"}, {"i", "ı"}, {"I", "İ"}, {"k", "\u212a"}, {"s", "ſ"}, {"я", "Я"},
		{"caf\u00e9", "cafe\u0301"}, {"\u00c5", "\u212b"}, {"\uac00", "\u1100\u1161"}, {"o", "ö"}, {"l", "ł"}, {"ae", "æ"},
		{"a\u0323\u0307", "a\u0307\u0323"}, {"full", "ｆull"}, {"1", "１"}, {"カ", "ｶ"}, {"か", "カ"}, {"2", "²"}, {"fi", "ﬁ"},
		{"zero", "ze\u200bro"}, {"joined", "join\u200ded"}, {"soft", "so\u00adft"}, {"mark", "\ufeffmark"}, {"emoji", "emoji\ufe0f"},
		{"\U0001f600", "\U0001f601"}, {"\ufffd", "\U0001f4f1"}, {"x", "x\U0001f4f1"}, {"\u202eprivate \ue000", "\u202eprivate \uf8ff"}, {"un\ufffd", "un"}, {"\uffff", "\ufffe"},
		{"7", "07"}, {"8", "8.0"}, {"10", "1e1"}, {"0", "-0"}, {"no", "n%"}, {"so", "s_"}, {"on", "o?"}, {"all", "*"},
		{"a-b", "ab"}, {"a.b", "a,b"}, {"a/b", "a_b"}, {"dots/", "dots/."}, {"it's", "it''s"}, {"back", `back\`}, {`back\\`, `back\\\`}, {`un\quoted`, `un\\quoted`}, {"plus+", "plus "}, {"%41", "A"}, {"&amp;", "&"},
		{repeat("x", n-1) + "y", repeat("x", n-1) + "z"}, {"y" + repeat("x", n-1), "z" + repeat("x", n-1)},
		{repeat("x", n), repeat("x", n-1)}, {repeat("w", n), repeat("w", n-1) + "W"}, {repeat("v", n-1), repeat("v", n-1) + " "},
		{repeat("é", n-1) + "à", repeat("é", n-1) + "á"},
		{repeat("\U0001f4f1", n-1) + "\U0001f4f1", repeat("\U0001f4f1", n-1) + "\U0001f4f2"},
	}
}

// tellsApart registers both keys of each pair, and fails if a change of one changes
// the other.
func (f *fixture) tellsApart(pairs [][2]string, of func(text string, n int) tokens.Request) {
	f.Helper()
	for i, pair := range pairs {
		// In one half of the pairs it is the second one that is left.
		gone, left := of(pair[i%2], 2*i), of(pair[1-i%2], 2*i+1)
		for _, req := range []tokens.Request{gone, left} {
			f.wantEqual("Outcome", store.Created, f.register(req).Outcome)
		}
		f.wantEqual("Get", f.registered(gone, start, start), f.get(gone.Key))

		f.deactivate(gone.Key)
		f.wantEqual("Get", f.registered(left, start, start), f.get(left.Key))
		if users := left.Key.UserID != gone.Key.UserID; users && i%3 == 0 {
			f.wantDevices(gone.Key.UserID)
			f.deleteUser(gone.Key.UserID)
		} else {
			f.delete(gone.Key)
		}
		if f.holds(gone) {
			f.Errorf("%v is not erased", gone.Key)
		}
		f.wantUnchanged(left)
		f.delete(left.Key)
	}
}

// keysTokens has pairs of tokens that differ in one respect only. The hashes of the first
// pair have the same first eight digits.
func keysTokens(f *fixture) {
	const room = tokens.MaxTokenBytes - len("ExpoPushToken[]")
	long := strings.Repeat("x", room-1)
	for i, pair := range [][2]string{
		{"69235", "95303"}, {"!\"#$%&'()*+,-./:;<=>?@\\^_`{|}~", "!\"#$%&amp;'()*+,-./:;<=>?@\\^_`{|}~"},
		{"case", "Case"}, {"CASE", "CASe"}, {"7", "07"}, {"8", "8.0"}, {"x", "x%"}, {"y_", "yy"}, {"a-b", "ab"}, {"back", `back\`},
		{"+", "%2B"}, {"A", "%41"}, {"=", "=="}, {"'", "''"}, {`"`, "'"}, {"#", "##"}, {":", ";"}, {"_-", "-_"},
		{long + "y", long + "z"}, {long + "w", long + "W"}, {"y" + long, "z" + long}, {long + "x", long},
		{"5pe11ed0-0000-0000-0000-00000000000a", "5pe11ed0-0000-0000-0000-00000000000A"},
	} {
		one := request(alice, device(i), tokens.MustParseToken("ExpoPushToken["+pair[0]+"]"))
		other := request(bob, device(i), tokens.MustParseToken("ExpoPushToken["+pair[1]+"]"))
		f.creates(one)
		f.creates(other)
		f.wantUnchanged(one)
		f.invalidate(other.Key, one.Token, start.Add(time.Hour))
		f.wantUnchanged(other)
		f.delete(one.Key)
		f.wantUnchanged(other)

		// The other token replaces the one, and is no spelling of it.
		f.replaces(request(bob, device(i), one.Token), start)
		f.wantNoHolder(other.Token)
		f.delete(other.Key)
	}
}
