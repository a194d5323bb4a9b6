// Package visible escapes hidden characters in untrusted text.
package visible

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Hidden reports whether a terminal or a browser interprets r or does not show it:
// control characters, marks that change the text direction, and characters without
// width. Two ids that differ only in such a character look the same.
func Hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == utf8.RuneError || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// JSON escapes the hidden characters in the strings of a JSON text. The result
// decodes to the same values.
func JSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\n' || r == '\t' || !Hidden(r): // white space between values
			out = append(out, text[i:i+size]...)
		case r > 0xffff:
			first, second := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, first, second)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}

// ID returns an id for display: quoted and in ASCII if it has hidden characters, and
// "-" if it is empty.
func ID[S ~string](id S) string {
	switch s := string(id); {
	case s == "":
		return "-"
	case strings.ContainsFunc(s, Hidden), strings.HasPrefix(s, `"`), strings.TrimSpace(s) != s:
		return strconv.QuoteToASCII(s)
	}
	return string(id)
}

// Text escapes the hidden characters of a text, except line ends.
func Text(s string) string {
	var b strings.Builder
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
			continue
		}
		if r == '\n' || !Hidden(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
