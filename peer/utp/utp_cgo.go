// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build cgo

package utp

import (
	"errors"
	"net"
	"sync"

	libutp "github.com/anacrolix/go-libutp"
)

const implementation = "libutp"

// NewSocket binds a UDP address, for example ("udp4", "0.0.0.0:42069"), and speaks µTP on it.
func NewSocket(network, addr string, _ ...Option) (Socket, error) {
	s, err := libutp.NewSocket(network, addr)
	if err != nil {
		return nil, err
	}
	return &socket{Socket: s}, nil
}

// NewSocketFromPacketConn is refused: go-libutp opens its own UDP sockets.
func NewSocketFromPacketConn(net.PacketConn, ...Option) (Socket, error) {
	return nil, errors.New("µTP over a given packet connection is not supported; let the engine open the port")
}

type socket struct {
	*libutp.Socket
	closeOnce sync.Once
	closeErr  error
}

func (s *socket) SetFirewallCallback(f FirewallCallback) {
	s.Socket.SetSyncFirewallCallback(libutp.FirewallCallback(f))
}

// Close may be called more than once: the engine closes its sockets as listener and as dialer.
func (s *socket) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.Socket.Close() })
	return s.closeErr
}
