// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"net"
	"sync"

	"shoal/peer/bound"
)

// oneAnswer is a UDP tracker's socket (BEP 15) that lets through one answer to each request. At a second
// answer the library's client locks up for ever, with its goroutines and its socket.
type oneAnswer struct {
	net.PacketConn
	mu      sync.Mutex
	waiting map[[4]byte]struct{} // transaction ids
}

// listenOneAnswer is for tracker.NewClientOpts. The socket is kept to an interface.
func listenOneAnswer(on bound.Interface) func(network, addr string) (net.PacketConn, error) {
	return func(network, addr string) (net.PacketConn, error) {
		conn, err := on.ListenPacket(network, addr)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		return &oneAnswer{PacketConn: conn, waiting: map[[4]byte]struct{}{}}, nil
	}
}

// WriteTo notes the transaction id, which follows the connection id and the action.
func (c *oneAnswer) WriteTo(b []byte, to net.Addr) (int, error) {
	if len(b) >= 16 {
		c.mu.Lock()
		c.waiting[[4]byte(b[12:16])] = struct{}{}
		c.mu.Unlock()
	}
	return c.PacketConn.WriteTo(b, to)
}

// ReadFrom passes over what answers nothing. In an answer the transaction id follows the action.
func (c *oneAnswer) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || n >= 8 && c.take([4]byte(b[4:8])) {
			return n, from, err
		}
	}
}

func (c *oneAnswer) take(id [4]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.waiting[id]
	delete(c.waiting, id)
	return ok
}
