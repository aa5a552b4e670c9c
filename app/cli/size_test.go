// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import "testing"

func TestSizes(t *testing.T) {
	for text, want := range map[string]size{
		"0": 0, "500": 500, "500B": 500, "20GB": 20e9, "20gb": 20e9, "20 G": 20e9, "1.5TB": 1.5e12, "1GiB": 1 << 30, "2 MiB": 2 << 20, "3k": 3000,
		"x": -1, "": -1, "-1": -1, "1XB": -1, "1iB": -1, "GB": -1, "1e9": -1, "1 1": -1, "9999999TB": -1, "1.2.3": -1, "10PB": -1,
	} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil {
			s = -1
		}
		if s != want {
			t.Errorf("%q: got %d, want %d", text, s, want)
		}
	}
}
