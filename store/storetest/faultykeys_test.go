package storetest

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/tokens"
)

// folds are equalities of databases and of hand-written keys: each maps different
// texts to one.
var folds = map[string]func(string) string{
	"trims the end":                   func(s string) string { return strings.TrimRight(s, " ") },
	"trims the start":                 func(s string) string { return strings.TrimLeft(s, " ") },
	"takes blanks for one":            func(s string) string { return strings.ReplaceAll(s, "  ", " ") },
	"takes any blank for a space":     func(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") },
	"ignores the case of ASCII":       lower(true),
	"ignores the case beyond ASCII":   lower(false),
	"folds case":                      replacing("ß", "ss", "ς", "σ", "ſ", "s", "\u212a", "k"),
	"composes letters":                replacing("e\u0301", "é", "\u212b", "\u00c5", "\u1100\u1161", "\uac00"),
	"sorts marks":                     replacing("\u0323\u0307", "\u0307\u0323"),
	"ignores accents":                 replacing("ö", "o", "é", "e", "ł", "l", "à", "a", "á", "a", "\u0301", ""),
	"takes full width for half width": replacing("ｆ", "f", "１", "1", "ｶ", "カ"),
	"ignores the kind of kana":        replacing("か", "カ"),
	"splits ligatures":                replacing("ﬁ", "fi", "æ", "ae", "²", "2"),
	"drops what has no width":         replacing("\u200b", "", "\u200d", "", "\u00ad", "", "\ufeff", "", "\ufe0f", ""),
	"knows three bytes of a character": func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > 0xffff {
				return '\ufffd'
			}
			return r
		}, s)
	},
	"ignores punctuation":           replacing("-", "", ".", "", ",", "", "'", ""),
	"makes names of files":          replacing("/", "_"),
	"takes texts for paths":         path.Clean,
	"doubles quotes":                replacing("''", "'"),
	"trims what is no space":        func(s string) string { return strings.Trim(s, "\u00a0") },
	"drops what is replaced":        replacing("\ufffd", ""),
	"replaces what is no character": replacing("\uffff", "\ufffd", "\ufffe", "\ufffd"),
	"takes texts for HTML":          replacing("&amp;", "&"),
	"takes texts for URLs":          replacing("%41", "A", "+", " "),
	"unquotes texts":                replacing(`\\`, `\`),
	"takes texts for whole":         func(s string) string { return strings.TrimSuffix(strings.TrimLeft(s, "0"), ".0") },
	"cuts the last character": func(s string) string {
		if utf8.RuneCountInString(s) < 64 {
			return s
		}
		_, size := utf8.DecodeLastRuneInString(s)
		return s[:len(s)-size]
	},
	"compares 63 bytes":          func(s string) string { return s[:min(len(s), 63)] },
	"compares the last 63 bytes": func(s string) string { return s[max(0, len(s)-63):] },
}

func replacing(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

// lower folds the case of the ASCII letters, or of the others.
func lower(ascii bool) func(string) string {
	return func(s string) string {
		return strings.Map(func(r rune) rune {
			if (r < utf8.RuneSelf) == ascii {
				return unicode.ToLower(r)
			}
			return r
		}, s)
	}
}

const (
	inUsers    = " of user ids"
	inDevices  = " of device ids"
	inTokens   = " of tokens"
	inProjects = " of projects"
)

// fold applies the fault to the text, if it concerns such texts.
func (s *faulty) fold(text, where string) string {
	if name, found := strings.CutSuffix(s.fault, where); found {
		if fold, known := folds[name]; known {
			return fold(text)
		}
	}
	return text
}

func (s *faulty) foldsTokens() bool { return strings.HasSuffix(s.fault, inTokens) }

func (s *faulty) foldToken(t tokens.Token) string {
	return s.fold(leak.Identity(t), inTokens)
}

// brokenFolds has the folds that a pair of texts shows: tokens are ASCII.
func brokenFolds() []broken {
	var all []broken
	for name := range folds {
		all = append(all,
			broken{name + inUsers, []string{"Keys/Users"}},
			broken{name + inDevices, []string{"Keys/Devices"}},
			broken{name + inProjects, []string{"Keys/Projects"}})
		switch name {
		case "ignores the case of ASCII", "takes texts for URLs", "ignores punctuation", "cuts the last character", "compares 63 bytes", "compares the last 63 bytes",
			"takes texts for whole":
			all = append(all, broken{name + inTokens, []string{"Keys/Tokens"}})
		}
	}
	return all
}
