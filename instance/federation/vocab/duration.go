// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxSeconds bounds a duration: a hundred years.
const maxSeconds = 100 * 365 * 24 * 3600

// FormatDuration writes a length in whole seconds, as in "PT62S": some readers understand seconds alone.
func FormatDuration(d time.Duration) string {
	return "PT" + strconv.FormatInt(int64(d/time.Second), 10) + "S"
}

// ParseDuration reads an xsd:duration of days, hours, minutes and seconds, as in "PT1M2.5S"; fractions of a second are
// cut off. Years, months and negative lengths are refused.
func ParseDuration(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || len(s) > 64 {
		return 0, false
	}
	date, clock, hasClock := strings.Cut(rest, "T")
	if date == "" && !hasClock {
		return 0, false
	}
	days, ok := durationParts(date, "D")
	if !ok {
		return 0, false
	}
	clockParts, ok := durationParts(clock, "HMS")
	if !ok || hasClock && clock == "" {
		return 0, false
	}
	seconds := days[0]*86400 + clockParts[0]*3600 + clockParts[1]*60 + clockParts[2]
	if seconds > maxSeconds {
		return 0, false
	}
	return time.Duration(math.Floor(seconds)) * time.Second, true
}

// durationParts reads numbers, each followed by its unit, the units in the given order.
func durationParts(s, units string) ([3]float64, bool) {
	var out [3]float64
	for i, unit := range units {
		number, rest, found := strings.Cut(s, string(unit))
		if !found {
			continue
		}
		if number == "" || strings.Trim(number, "0123456789.") != "" || (unit != 'S' && strings.Contains(number, ".")) {
			return out, false
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return out, false
		}
		out[i], s = n, rest
	}
	return out, s == ""
}
