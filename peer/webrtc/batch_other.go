// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package webrtc

import (
	"log/slog"
	"net"
)

// batchUDP sends and receives each packet by itself: only Linux does better.
func batchUDP(socket *net.UDPConn, _ *slog.Logger) net.PacketConn { return socket }
