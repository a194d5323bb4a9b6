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
	"folds case":                      strings.NewReplacer("ß", "ss", "ς", "σ", "ſ", "s", "\u212a", "k").Replace,
	"composes letters":                strings.NewReplacer("e\u0301", "é", "\u212b", "\u00c5", "\u1100\u1161", "\uac00").Replace,
	"sorts marks":                     strings.NewReplacer("\u0323\u0307", "\u0307\u0323").Replace,
	"ignores accents":                 strings.NewReplacer("ö", "o", "é", "e", "ł", "l", "à", "a", "á", "a", "\u0301", "").Replace,
	"takes full width for half width": strings.NewReplacer("ｆ", "f", "１", "1", "ｶ", "カ").Replace,
	"ignores the kind of kana":        strings.NewReplacer("か", "カ").Replace,
	"splits ligatures":                strings.NewReplacer("ﬁ", "fi", "æ", "ae", "²", "2").Replace,
	"drops what has no width":         strings.NewReplacer("\u200b", "", "\u200d", "", "\u00ad", "", "\ufeff", "", "\ufe0f", "").Replace,
	"knows three bytes of a character": func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > 0xffff {
				return '\ufffd'
			}
			return r
		}, s)
	},
	"ignores punctuation":           strings.NewReplacer("-", "", ".", "", ",", "", "'", "").Replace,
	"makes names of files":          strings.NewReplacer("/", "_").Replace,
	"takes texts for paths":         path.Clean,
	"doubles quotes":                strings.NewReplacer("''", "'").Replace,
	"trims what is no space":        func(s string) string { return strings.Trim(s, "\u00a0") },
	"drops what is replaced":        strings.NewReplacer("\ufffd", "").Replace,
	"replaces what is no character": strings.NewReplacer("\uffff", "\ufffd", "\ufffe", "\ufffd").Replace,
	"takes texts for HTML":          strings.NewReplacer("&amp;", "&").Replace,
	"takes texts for URLs":          strings.NewReplacer("%41", "A", "+", " ").Replace,
	"unquotes texts":                strings.NewReplacer(`\\`, `\`).Replace,
	"takes texts for whole":         func(s string) string { return strings.TrimSuffix(strings.TrimLeft(s, "0"), ".0") },
	"cuts the last character": func(s string) string {
		if utf8.RuneCountInString(s) < 64 {
			return s
		}
		_, size := utf8.DecodeLastRuneInString(s)
		return s[:len(s)-size]
	},
	"compares 63 bytes": func(s string) string { return s[:min(len(s), 63)] },
	"compares the last 63 bytes": func(s string) string {
		return s[max(0, len(s)-63):]
	},
}

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
