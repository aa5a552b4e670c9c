// SPDX-License-Identifier: AGPL-3.0-or-later

package party

import (
	"net/netip"
	"testing"
)

func TestHostsOfOneDomainAreOneParty(t *testing.T) {
	for host, want := range map[string]string{
		"evil.example": "evil.example", "a.b.evil.example:8443": "evil.example", "EVIL.example.": "evil.example",
		"x.evil.co.uk": "evil.co.uk", "a.someone.github.io": "someone.github.io", "com": "com", "": "",
		"192.0.2.7:8443": "192.0.2.7", "[2001:db8:1:2:3::4]:9000": "2001:db8:1:2::", "2001:db8:1:2:ffff::": "2001:db8:1:2::",
		"127.0.0.1:9001": "127.0.0.1:9001", "[::1]:9001": "[::1]:9001", "localhost:9001": "localhost:9001",
	} {
		if got := Host(host); got != want {
			t.Errorf("%s is of %s, not of %s", host, got, want)
		}
	}
}

func TestAddressesOfOneNetworkAreOneParty(t *testing.T) {
	for ip, want := range map[string]string{
		"2001:db8::1": "2001:db8::", "2001:db8::ffff:1": "2001:db8::", "2001:db8:0:1::1": "2001:db8:0:1::",
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
	} {
		if got := Addr(netip.MustParseAddr(ip)); got.String() != want {
			t.Errorf("%s is of %s, not of %s", ip, got, want)
		}
	}
	if Addr(netip.Addr{}).IsValid() {
		t.Error("no address is of somebody")
	}
}

func FuzzHost(f *testing.F) {
	f.Add("a.b.evil.example:8443")
	f.Add("[2001:db8::1]:443")
	f.Fuzz(func(t *testing.T, host string) {
		one := Host(host)
		if again := Host(one); again != one {
			t.Errorf("%q is of %q, which is of %q", host, one, again)
		}
	})
}
