// Package jsontext finds JSON texts with invalid characters, which encoding/json
// decodes to U+FFFD instead of rejecting them. Two such user ids could become equal.
package jsontext

import (
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// IsUnicode reports whether a valid JSON text is UTF-8 (RFC 8259, section 8.1) without
// an escaped surrogate that lacks its pair (section 8.2).
func IsUnicode(data []byte) bool {
	return utf8.Valid(data) && !HasLoneSurrogate(data)
}

// HasLoneSurrogate reports whether a valid JSON text has an escaped surrogate without
// its pair, which encoding/json replaces by U+FFFD.
func HasLoneSurrogate(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++ // skip the escaped character, which may be a backslash
		first, ok := unit(data[i-1:])
		if !ok || !utf16.IsSurrogate(first) {
			continue
		}
		second, ok := unit(data[i+5:])
		if !ok || utf16.DecodeRune(first, second) == unicode.ReplacementChar {
			return true
		}
		i += 10 // to the last digit of the second
	}
	return false
}

// unit returns the UTF-16 code unit of the escape at the start of text, if it has the
// form \uXXXX.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}
