package tokens

import "strings"

// A token is written as its identity in brackets behind one of the prefixes, or
// bare.
var prefixes = [...]string{"ExponentPushToken[", "ExpoPushToken["}

// Spellings returns every text that is this token, its own first: two, or three
// if the identity is that of a bare token. It is for stores that compare stored
// texts, and it reveals the token as [Token.Reveal] does. It is nil for the zero
// Token.
func (t Token) Spellings() []string {
	if t.IsZero() {
		return nil
	}
	own, identity := t.Reveal(), t.identity()
	all := append(make([]string, 0, len(prefixes)+1), own)
	for _, prefix := range prefixes {
		if text := prefix + identity + "]"; text != own && len(text) <= MaxTokenBytes {
			all = append(all, text)
		}
	}
	if identity != own && isBare(identity) {
		all = append(all, identity)
	}
	return all
}

// isSpelling reports whether s is a token, its length aside.
func isSpelling(s string) bool {
	inner, ok := unwrap(s)
	return isBare(s) || ok && isInner(inner)
}

// identityOf returns the text inside the brackets of a token, or the whole of a
// bare one.
func identityOf(s string) string {
	if inner, ok := unwrap(s); ok {
		return inner
	}
	return s
}

func unwrap(s string) (inner string, ok bool) {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return strings.CutSuffix(rest, "]")
		}
	}
	return "", false
}

// isInner reports whether s is printable ASCII without spaces or brackets.
func isInner(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '[' || c == ']' {
			return false
		}
	}
	return s != ""
}

// isBare spells its character class out: (?i)[a-z] in Go's regexp also matches
// the Kelvin sign.
func isBare(s string) bool {
	const shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if shape[i] == '-' && s[i] != '-' || shape[i] == 'x' && !isAlphanumeric(s[i]) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
