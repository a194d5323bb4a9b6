// Package spelling knows the texts of an Expo push token: which are valid, and
// which are one token. It works on plain strings, so that package tokens can
// keep a single way out of its Token type.
package spelling

import "strings"

// MaxBytes is the greatest length of a token's text.
const MaxBytes = 255

const (
	exponent = "ExponentPushToken["
	expo     = "ExpoPushToken["
	suffix   = "]"
)

// Valid reports whether s is a token, its length aside.
func Valid(s string) bool {
	inner, ok := unwrap(s)
	return isBare(s) || ok && isInner(inner)
}

// Identity returns what is inside the brackets of the valid token s, or the
// whole of a bare one. Two texts of one identity are one token.
func Identity(s string) string {
	if inner, ok := unwrap(s); ok {
		return inner
	}
	return s
}

// All returns every text of the valid token s that is valid too, s first: at
// most three.
func All(s string) []string {
	id := Identity(s)
	all := append(make([]string, 0, 3), s)
	for _, other := range [...]string{exponent + id + suffix, expo + id + suffix, id} {
		if other != s && len(other) <= MaxBytes && Valid(other) {
			all = append(all, other)
		}
	}
	return all
}

func unwrap(s string) (inner string, ok bool) {
	for _, prefix := range [...]string{exponent, expo} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return strings.CutSuffix(rest, suffix)
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
