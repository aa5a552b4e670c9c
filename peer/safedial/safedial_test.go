// SPDX-License-Identifier: AGPL-3.0-or-later

package safedial

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	public := []string{"1.1.1.1:443", "[2606:4700::1111]:443", "[::ffff:1.1.1.1]:80", "[64:ff9b::101:101]:443"}
	private := []string{
		"127.0.0.1:80", "10.1.2.3:80", "172.16.0.1:80", "192.168.1.1:80", "169.254.169.254:80", "100.64.0.1:80", "0.0.0.0:80", "0.1.2.3:80",
		"192.0.2.1:80", "198.18.0.1:80", "224.0.0.1:80", "255.255.255.255:80", "240.0.0.1:80",
		"[::]:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "[64:ff9b::7f00:1]:80", "[fe80::1%eth0]:80", "[fc00::1]:80", "[ff02::1]:80",
		"[2001:db8::1]:80", "[2001::1]:80", "[2002:7f00:1::]:80", "[::7f00:1]:80", "[fec0::1]:80", "nonsense",
	}
	control := Control(false)
	for _, a := range slices.Concat(public, private) {
		err := control(t.Context(), "tcp", a, nil)
		if want := slices.Contains(private, a); (err != nil) != want {
			t.Errorf("%s: %v", a, err)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address counts as public")
	}
	if Control(true) != nil {
		t.Error("with private addresses allowed, there is still a check")
	}
}

func TestDialersRefuseLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, address := range []string{l.Addr().String(), "localhost:" + port} {
		if _, err := Context(false)(t.Context(), "tcp", address); !errors.Is(err, ErrPrivate) {
			t.Errorf("%s: %v", address, err)
		}
		conn, err := Context(true)(t.Context(), "tcp", address)
		if err != nil {
			if address != l.Addr().String() {
				continue // localhost may mean ::1 alone
			}
			t.Fatal(err)
		}
		conn.Close()
	}
}
