// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"net"
	"sync"
	"time"
)

// listener hands connections from the Transport to the torrent client.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// deliver waits until the torrent client accepts c; false when it does not.
func (l *listener) deliver(ctx context.Context, c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.closed:
	case <-ctx.Done():
	}
	return false
}

// Accept returns the next data channel that opened.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		// A torrent client that is not closed yet calls Accept again at once and for ever: slow
		// it down.
		time.Sleep(closedAcceptPause)
		return nil, net.ErrClosed
	}
}

const closedAcceptPause = 20 * time.Millisecond

// Close makes Accept fail.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is a placeholder: there is no address that can be dialled.
func (l *listener) Addr() net.Addr { return addr{} }
