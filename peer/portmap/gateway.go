// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"fmt"
	"net"
	"net/netip"
)

// towards adds the address that this machine has on the way to a router. No packet is sent.
func towards(router netip.Addr) (Gateway, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(router, 9)))
	if err != nil {
		return Gateway{}, fmt.Errorf("finding the way to the router: %w", err)
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return Gateway{}, fmt.Errorf("finding the way to the router: %w", err)
	}
	return Gateway{Router: router, Local: local.Addr().Unmap()}, nil
}
