// SPDX-License-Identifier: AGPL-3.0-or-later

package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold makes a text comparable in all languages: compatibility forms apart (Unicode NFKD), accents
// taken off letters of alphabets (Latin, Greek, Cyrillic, Hebrew, Arabic), lower case, the rest
// together again (NFC). Marks that are vowels (Devanagari, Thai and others) stay.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	bare := false
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, " ")) {
		if unicode.Is(unicode.Mn, r) {
			if !bare {
				b.WriteRune(r)
			}
			continue
		}
		bare = unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
		if letters := plain(r); letters != "" {
			b.WriteString(letters)
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return norm.NFC.String(b.String())
}

// plain writes Latin letters that have no decomposition with those that people type for them.
func plain(r rune) string {
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'æ', 'Æ':
		return "ae"
	case 'œ', 'Œ':
		return "oe"
	case 'ø', 'Ø':
		return "o"
	case 'ł', 'Ł':
		return "l"
	case 'đ', 'Đ', 'ð', 'Ð':
		return "d"
	case 'þ', 'Þ':
		return "th"
	case 'ı':
		return "i"
	case 'ς':
		return "σ"
	}
	return ""
}

// Bounds of what is indexed of one text and asked in one search.
const (
	maxText  = 20_000 // bytes
	maxWord  = 40     // bytes; the rest is cut
	maxWords = 12
)

// words splits a folded text into words: runs of letters, marks and digits. Of scripts without
// spaces (Han, kana, Thai and their like) each pair of neighbours is a word, and the last letter, so
// that any part of a text is found.
func words(text string) []string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	var all []string
	var word []rune
	dense := false
	end := func() {
		if len(word) > 0 {
			all = appendWord(all, word, dense)
		}
		word = word[:0]
	}
	for _, r := range fold(text) {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) {
			end()
			continue
		}
		if d := isDense(r); d != dense && !unicode.Is(unicode.M, r) {
			end()
			dense = d
		}
		word = append(word, r)
	}
	end()
	return all
}

func isDense(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func appendWord(all []string, word []rune, dense bool) []string {
	if !dense || len(word) == 1 {
		w := string(word)
		if len(w) > maxWord {
			w = strings.ToValidUTF8(w[:maxWord], "")
		}
		return append(all, w)
	}
	for i := range word {
		all = append(all, string(word[i:min(i+2, len(word))]))
	}
	return all
}
