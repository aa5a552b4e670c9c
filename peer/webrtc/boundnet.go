// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"net"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"

	"shoal/peer/bound"
)

// boundNet has TURN's sockets kept to an interface.
type boundNet struct {
	*stdnet.Net
	on bound.Interface
}

// ListenPacket opens a UDP socket on the interface.
func (n boundNet) ListenPacket(network, address string) (net.PacketConn, error) {
	return n.on.ListenPacket(network, address)
}

// ListenUDP opens a UDP socket on the interface: the one that asks a TURN server for its own address.
func (n boundNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.on.ListenPacket(network, at.String())
	if err != nil {
		return nil, err //nolint:wrapcheck // it says enough
	}
	return c.(*net.UDPConn), nil //nolint:forcetypeassert // UDP gives nothing else
}

// ResolveUDPAddr looks nothing up while nothing may go out.
func (n boundNet) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	if n.on.Held() {
		return nil, bound.ErrHeld
	}
	return n.Net.ResolveUDPAddr(network, address)
}

// ResolveTCPAddr looks nothing up while nothing may go out.
func (n boundNet) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	if n.on.Held() {
		return nil, bound.ErrHeld
	}
	return n.Net.ResolveTCPAddr(network, address)
}

// Dial connects on the interface.
func (n boundNet) Dial(network, address string) (net.Conn, error) {
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
