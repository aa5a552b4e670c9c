// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "testing"

// TestABlockedHostGotByWithADotAndAPort checks that every way to write a host is the same host.
func TestABlockedHostGotByWithADotAndAPort(t *testing.T) {
	for blocked, hosts := range map[string]map[string]bool{
		"evil.example": {
			"evil.example.:443": true, "a.evil.example.:8443": true, "EVIL.example..": true, "evil.example:": true,
			"evil.example.:": true, "evil.example:0443": true, "notevil.example.:443": false,
		},
		"evil.example.:8443":  {"evil.example:8443": true, "evil.example:08443": true, "evil.example:443": false, "evil.example": false},
		"[2001:db8::1]":       {"[2001:db8::1]:8443": true, "[2001:0db8::1]": true, "2001:DB8:0::1": true, "[2001:db8::2]:8443": false},
		"2001:db8::1":         {"[2001:db8::1]:8443": true, "[2001:db8:0::1]": true},
		"[2001:0db8::1]:8443": {"[2001:db8::1]:8443": true, "[2001:db8::1]": false},
		"192.0.2.1":           {"[::ffff:192.0.2.1]:443": true, "192.0.2.1.:443": true, "1.192.0.2.1": false},
	} {
		clean, err := checkHost(blocked)
		if err != nil {
			t.Fatal(err)
		}
		for host, want := range hosts {
			if got := Covers(map[string]bool{clean: true}, host); got != want {
				t.Errorf("%s blocks %s: %v", blocked, host, got)
			}
		}
	}
}
