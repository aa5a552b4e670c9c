// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !cgo

package utp

import (
	"errors"
	"net"
)

const implementation = "none"

var errNoCgo = errors.New("µTP needs a build with cgo; this one has none, so uTP is off")

// NewSocket always fails: µTP needs cgo.
func NewSocket(string, string, ...Option) (Socket, error) { return nil, errNoCgo }

// NewSocketFromPacketConn always fails: µTP needs cgo.
func NewSocketFromPacketConn(net.PacketConn, ...Option) (Socket, error) { return nil, errNoCgo }
