// SPDX-License-Identifier: AGPL-3.0-or-later

package foreign

import (
	"strings"
	"testing"
)

// What another server says fits into a sentence: one line, nothing that controls a terminal, an end.
func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " plain ": "plain", "two\r\nlines": "two lines", "\x1b[31mred\x07\u202e": "[31mred",
		strings.Repeat("é", MaxText): strings.Repeat("é", MaxText), strings.Repeat("é", MaxText+1): strings.Repeat("é", MaxText) + "…",
	} {
		if got := Clip(in); got != want {
			t.Errorf("%q: %q instead of %q", in, got, want)
		}
	}
}
