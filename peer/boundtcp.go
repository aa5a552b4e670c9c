// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/anacrolix/torrent"
)

// boundListener is a TCP listener on the interface that the settings name. It is opened anew when the
// network changes, since an interface that comes back is another one to the kernel.
type boundListener struct {
	config  net.ListenConfig
	address string

	mu     sync.Mutex
	inner  net.Listener
	closed bool
}

// listenBound has the client listen and dial on the interface alone.
func (e *Engine) listenBound() error {
	if !e.sources.Has(SourceTCP) {
		return nil
	}
	l := &boundListener{config: net.ListenConfig{Control: e.config.Interface.Listen, KeepAlive: -1}}
	l.address = net.JoinHostPort(e.config.ListenHost, strconv.Itoa(e.config.Port))
	if err := l.open(); err != nil {
		return err
	}
	if at, ok := l.Addr().(*net.TCPAddr); ok {
		l.address = net.JoinHostPort(e.config.ListenHost, strconv.Itoa(at.Port))
	}
	e.bound = l
	e.client.AddListener(l)
	for _, network := range []string{"tcp4", "tcp6"} {
		d := torrent.NetworkDialer{Network: network, Dialer: &net.Dialer{FallbackDelay: -1, KeepAlive: -1, Control: e.config.Interface.Dial}}
		e.client.AddDialer(engineDialer{Dialer: d, engine: e})
	}
	return nil
}

func (l *boundListener) open() error {
	inner, err := l.config.Listen(context.Background(), "tcp", l.address)
	if err != nil {
		return fmt.Errorf("opening the port: %w", err)
	}
	l.inner = inner
	return nil
}

// reopen opens the port on the interface as it is now.
func (l *boundListener) reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	_ = l.inner.Close() // the port must be free
	return l.open()
}

// Accept waits for a peer, on whichever socket is open.
func (l *boundListener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		inner := l.inner
		l.mu.Unlock()
		c, err := inner.Accept()
		l.mu.Lock()
		again := err != nil && inner != l.inner && !l.closed
		l.mu.Unlock()
		if !again {
			return c, err
		}
	}
}

// Addr is where the port is.
func (l *boundListener) Addr() net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inner.Addr()
}

// Close makes Accept fail.
func (l *boundListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.inner.Close()
}

// boundAddresses are those of the interface while it is up.
func (e *Engine) boundAddresses() ([]net.Addr, error) {
	var out []net.Addr
	for _, a := range e.config.Interface.Addresses() {
		out = append(out, &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())})
	}
	return out, nil
}

// reopen opens every port anew.
func (e *Engine) reopen() {
	if e.bound != nil {
		if err := e.bound.reopen(); err != nil {
			e.logger.Warn("opening the port anew failed", "error", err)
		}
	}
	if e.transport != nil {
		if err := e.transport.Reopen(); err != nil {
			e.logger.Warn("opening the WebRTC port anew failed", "error", err)
		}
	}
}
