// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// size is a flag in bytes, such as "20GB" or "1.5 TiB"; a bare number is bytes.
type size int64

// UnmarshalText reads the flag.
func (s *size) UnmarshalText(text []byte) error {
	wrong := errors.New("write a size such as 500MB, 20GB or 1TB")
	word := strings.ToLower(strings.TrimSpace(string(text)))
	end := strings.IndexFunc(word, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(word)
	}
	n, err := strconv.ParseFloat(word[:end], 64)
	if err != nil || math.IsNaN(n) {
		return wrong
	}
	unit := strings.TrimSuffix(strings.TrimSpace(word[end:]), "b")
	base := 1000.0
	if rest, ok := strings.CutSuffix(unit, "i"); ok {
		unit, base = rest, 1024
		if unit == "" {
			return wrong
		}
	}
	power := strings.Index(" kmgt", unit)
	if unit == "" {
		power = 0
	}
	if power < 0 || len(unit) > 1 || unit == " " {
		return wrong
	}
	n *= math.Pow(base, float64(power))
	if n < 0 || n >= 1<<60 {
		return wrong
	}
	*s = size(n)
	return nil
}
