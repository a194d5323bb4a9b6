package tokens

import "strings"

// A spelling is a prefix, the identity and a closing bracket, or the bare identity.
var prefixes = [...]string{"ExponentPushToken[", "ExpoPushToken["}

// Spellings returns every spelling of the token, the parsed one first: at
// most two with brackets, and the bare form if the identity has its format. It is
// for stores that compare stored texts. Like [Token.Reveal], it returns the
// secret. It is nil for the zero Token.
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

// isSpelling reports whether s has the format of a token. It does not check the
// length.
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

// isBare reports whether s is 8-4-4-4-12 ASCII letters and digits. It is no regular
// expression, because (?i)[a-z] in Go also matches the Kelvin sign.
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
