// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package portmap

import (
	"errors"
	"net"
	"net/netip"
)

// defaultGateway guesses: at home the router is the first address of the network.
func defaultGateway() (Gateway, error) {
	out, err := towards(netip.AddrFrom4([4]byte{1, 1, 1, 1}))
	if err != nil {
		return Gateway{}, err
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return Gateway{}, err //nolint:wrapcheck // it says enough
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr() == out.Local && out.Local.IsPrivate() {
			return Gateway{Router: p.Masked().Addr().Next(), Local: out.Local}, nil
		}
	}
	return Gateway{}, errors.New("this machine is on no private network")
}
