// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"

	"shoal/peer/bound"
)

// boundNet has TURN's sockets kept to an interface, and to IPv4.
type boundNet struct {
	*stdnet.Net
	on    bound.Interface
	only4 bool
}

// errIPv6Off is why a TURN server is not asked by IPv6.
var errIPv6Off = errors.New("IPv6 is switched off")

// family narrows a network such as "udp".
func (n boundNet) family(network string) (string, error) {
	switch {
	case !n.only4 || strings.HasSuffix(network, "4"):
		return network, nil
	case strings.HasSuffix(network, "6"):
		return "", errIPv6Off
	default:
		return network + "4", nil
	}
}

// ListenPacket opens a UDP socket on the interface.
func (n boundNet) ListenPacket(network, address string) (net.PacketConn, error) {
	network, err := n.family(network)
	if err != nil {
		return nil, err
	}
	return n.on.ListenPacket(network, address)
}

// ListenUDP opens a UDP socket on the interface: the one that asks a TURN server for its own address.
func (n boundNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.ListenPacket(network, at.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil //nolint:forcetypeassert // UDP gives nothing else
}

// ResolveUDPAddr looks nothing up while nothing may go out.
func (n boundNet) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	if n.on.Held() {
		return nil, bound.ErrHeld
	}
	network, err := n.family(network)
	if err != nil {
		return nil, err
	}
	return n.Net.ResolveUDPAddr(network, address)
}

// ResolveTCPAddr looks nothing up while nothing may go out.
func (n boundNet) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	if n.on.Held() {
		return nil, bound.ErrHeld
	}
	network, err := n.family(network)
	if err != nil {
		return nil, err
	}
	return n.Net.ResolveTCPAddr(network, address)
}

// Dial connects on the interface.
func (n boundNet) Dial(network, address string) (net.Conn, error) {
	network, err := n.family(network)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{Control: n.on.Dial}).DialContext(context.Background(), network, address)
}

// DialTCP connects on the interface.
func (n boundNet) DialTCP(network string, _, to *net.TCPAddr) (transport.TCPConn, error) {
	c, err := n.Dial(network, to.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil //nolint:forcetypeassert // TCP gives nothing else
}

// DialUDP opens a connected UDP socket on the interface.
func (n boundNet) DialUDP(network string, _, to *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Dial(network, to.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil //nolint:forcetypeassert // UDP gives nothing else
}

// CreateDialer returns a dialer on the interface.
func (n boundNet) CreateDialer(d *net.Dialer) transport.Dialer {
	c := *d
	c.Control = n.on.Dial
	return n.Net.CreateDialer(&c)
}

// Reopen opens the port anew, on the interface as it is now. Connections that are open on it end.
func (t *Transport) Reopen() error {
	for _, l := range t.ports.all() {
		l.finish(errMoved)
	}
	return t.ports.reopen()
}
