// SPDX-License-Identifier: AGPL-3.0-or-later

// Package bound keeps sockets to one network interface, such as a VPN's. On Linux the kernel does it
// (SO_BINDTODEVICE): a packet of such a socket never leaves by another interface, whether or not this
// one is up. It imports nothing of Shoal; every room may import it.
package bound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// ErrHeld says that the interface is not there, and that the kill switch lets nothing out meanwhile.
var ErrHeld = errors.New("the network interface that all peer traffic goes through is not there, and the kill switch is on")

// Interface is a network interface by its name. With the empty name sockets are left alone.
type Interface struct {
	Name string
	// Strict lets nothing out while the interface is not there: the kill switch.
	Strict bool
}

// On reports whether sockets are kept to an interface.
func (i Interface) On() bool { return i.Name != "" }

// Up reports whether the interface is up and has an address.
func (i Interface) Up() bool { return len(i.Addresses()) > 0 }

// Held reports whether nothing may go out now.
func (i Interface) Held() bool { return i.On() && i.Strict && !i.Up() }

// Addresses are those of the interface while it is up, without link-local ones.
func (i Interface) Addresses() []netip.Addr {
	ifi, err := net.InterfaceByName(i.Name)
	if err != nil || ifi.Flags&net.FlagUp == 0 {
		return nil
	}
	all, err := ifi.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out
}

// Check returns an error where this system cannot keep sockets to an interface.
func (i Interface) Check() error {
	if i.On() && !supported {
		return errors.New("keeping peer traffic to a network interface works on Linux alone: take the interface out of the settings")
	}
	return nil
}

// Dial is a net.Dialer's Control. What goes to this machine itself is left alone.
func (i Interface) Dial(_, address string, c syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); !i.On() || err == nil && to.Addr().Unmap().IsLoopback() {
		return nil
	}
	err := bind(c, i.Name)
	if err != nil && !i.Strict && errors.Is(err, syscall.ENODEV) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keeping to interface %s: %w", i.Name, errors.Join(ErrHeld, err))
	}
	return nil
}

// Listen is a net.ListenConfig's Control. While a strict interface is not there the socket is kept to
// the loopback interface: the port is taken, and nothing gets out by it. Open it anew later.
func (i Interface) Listen(_, _ string, c syscall.RawConn) error {
	if !i.On() {
		return nil
	}
	err := bind(c, i.Name)
	if errors.Is(err, syscall.ENODEV) {
		if !i.Strict {
			return nil
		}
		err = bind(c, loopback)
	}
	if err != nil {
		return fmt.Errorf("keeping to interface %s: %w", i.Name, err)
	}
	return nil
}

// ListenPacket opens a UDP socket.
func (i Interface) ListenPacket(network, address string) (net.PacketConn, error) {
	return (&net.ListenConfig{Control: i.Listen}).ListenPacket(context.Background(), network, address)
}
