// SPDX-License-Identifier: AGPL-3.0-or-later

// Package utp offers the names of github.com/anacrolix/go-utp that the torrent engine uses (µTP,
// BEP 29), implemented by github.com/anacrolix/go-libutp. It stands in for that module through a
// replace line in the main go.mod and is imported by package peer and the torrent engine alone.
package utp

import (
	"context"
	"log/slog"
	"net"
)

// Default names the implementation, for error texts.
const Default = implementation

// FirewallCallback reports whether a connection attempt from addr is to be ignored.
type FirewallCallback func(addr net.Addr) bool

// Socket is a µTP socket on one UDP port: a listener, a dialer, and a packet connection for the
// datagrams that are not µTP (the DHT shares the port).
type Socket interface {
	net.PacketConn
	Accept() (net.Conn, error)
	Addr() net.Addr
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	SetFirewallCallback(f FirewallCallback)
}

// Option adjusts a new Socket. There is nothing to adjust here: libutp's own log is discarded,
// and what matters comes back as an error.
type Option func()

// WithLogger is accepted for the engine's sake and has no effect.
func WithLogger(*slog.Logger) Option { return func() {} }
