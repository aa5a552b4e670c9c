// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold gives names that strings.EqualFold calls equal the same form.
func fold(name string) string {
	ascii := true
	for i := range len(name) {
		ascii = ascii && name[i] < utf8.RuneSelf
	}
	if ascii {
		return strings.ToLower(name)
	}
	return strings.Map(smallest, name)
}

// smallest is the least of the characters that differ from r by case alone.
func smallest(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
