// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import "unicode"

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
