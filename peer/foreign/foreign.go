// SPDX-License-Identifier: AGPL-3.0-or-later

// Package foreign reads the small things that other servers say: words for a person, and when to come
// back. It imports nothing of Shoal; every room may import it.
package foreign

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// MaxText is how long Clip leaves a text, in characters.
const MaxText = 300

// Clip makes another server's text fit for a sentence: printable, on one line, and not long.
func Clip(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > MaxText {
			b.WriteRune('…')
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else if unicode.IsSpace(r) {
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// RetryAfter reads Retry-After (RFC 9110 §10.2.3): seconds or a date. It is 0 where the header is
// absent, past or wrong.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}
