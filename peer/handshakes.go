// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds on the incoming connections of a port whose handshake is not over. The client gives each a few
// seconds.
const (
	maxHandshakes     = 256
	maxHandshakesFrom = 64 // one address (IPv6: one /64), which may share many swarms with us
)

// handshakes are the incoming connections of a port that have not said yet, or not to the end, which
// swarm they are for. Where there are too many the oldest goes: of the same address, or else of the
// addresses that have most. So nobody who is quick is kept out by those who say nothing.
type handshakes struct {
	mu   sync.Mutex
	open []*arrival // oldest first
}

// arrival is an incoming connection.
type arrival struct {
	net.Conn
	all    *handshakes
	from   netip.Prefix
	remote *arrivalAddr
}

// arrivalAddr is the address of an incoming connection, by which connAdded finds it.
type arrivalAddr struct {
	net.Addr
	arrival *arrival
}

// enter takes a connection in, and closes another where it is one too many.
func (h *handshakes) enter(c net.Conn) *arrival {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // as the client has it for the connections that it accepts itself
	}
	a := &arrival{Conn: c, all: h, from: networkOf(c.RemoteAddr())}
	a.remote = &arrivalAddr{c.RemoteAddr(), a}
	h.mu.Lock()
	surplus := h.surplus(a.from)
	h.remove(surplus)
	h.open = append(h.open, a)
	h.mu.Unlock()
	if surplus != nil {
		_ = surplus.Close()
	}
	return a
}

// surplus is who makes room for one more from an address; nil where there is room. mu is held.
func (h *handshakes) surplus(from netip.Prefix) (oldest *arrival) {
	counts := map[netip.Prefix]int{}
	for _, a := range h.open {
		counts[a.from]++
	}
	if counts[from] >= maxHandshakesFrom {
		return h.open[slices.IndexFunc(h.open, func(a *arrival) bool { return a.from == from })]
	}
	if len(h.open) < maxHandshakes {
		return nil
	}
	for _, a := range h.open {
		if oldest == nil || counts[a.from] > counts[oldest.from] {
			oldest = a
		}
	}
	return oldest
}

// remove takes out a connection that may not be there. mu is held.
func (h *handshakes) remove(a *arrival) {
	if i := slices.Index(h.open, a); i >= 0 {
		h.open = slices.Delete(h.open, i, i+1)
	}
}

// over tells that the handshake is over, or the connection.
func (a *arrival) over() {
	a.all.mu.Lock()
	defer a.all.mu.Unlock()
	a.all.remove(a)
}

// RemoteAddr is the peer's address.
func (a *arrival) RemoteAddr() net.Addr { return a.remote }

// Close ends the connection.
func (a *arrival) Close() error {
	a.over()
	return a.Conn.Close()
}

// SetDeadline does not fail: the client panics where it does, as on a connection that is closed.
func (a *arrival) SetDeadline(t time.Time) error {
	if err := a.Conn.SetDeadline(t); err != nil {
		_ = a.Close()
	}
	return nil
}
