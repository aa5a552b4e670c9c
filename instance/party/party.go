// SPDX-License-Identifier: AGPL-3.0-or-later

// Package party says which hosts and which addresses count as one party where what others ask is
// bounded: names and addresses that cost their owner nothing must not multiply what it may. It knows
// nothing else of Shoal; everything in instance may import it.
package party

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// subnet is how much of an IPv6 address a customer of a provider gets (RFC 6177 §2), in bits.
const subnet = 64

// Addr is the party behind an address: of IPv6 its /64, of IPv4 the address itself.
func Addr(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if !ip.Is6() {
		return ip
	}
	return netip.PrefixFrom(ip, subnet).Masked().Addr()
}

// Host is the party behind a host, which may have a port: the domain that somebody registered, by the
// public suffix list, or the party behind an address. On loopback, where instances are tested, each
// port is a party of its own.
func Host(host string) string {
	name := strings.ToLower(host)
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	name = strings.Trim(name, "[].")
	if ip, err := netip.ParseAddr(name); err == nil {
		if ip.IsLoopback() {
			return host
		}
		return Addr(ip).String()
	}
	if name == "localhost" {
		return host
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}
