// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5/stdnet"

	"shoal/peer/bound"
)

const (
	// socketBuffer is asked for in bytes, each way; the system gives what it allows. A small one
	// loses packets in every burst, and SCTP halves its window each time.
	socketBuffer = 4 << 20
	// maxListenAddresses bounds the host candidates that are offered.
	maxListenAddresses = 16
)

// mux shares one UDP port among many connections: packets find theirs by the ICE user name, then by
// their source (ICE UDP mux).
type mux struct {
	*ice.UniversalUDPMuxDefault
	port     int
	loopback bool
	on       bound.Interface
}

func listenMux(number int, cfg Config, logger *slog.Logger) (*mux, error) {
	socket, err := listenUDP(number, cfg)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("UDP port %d is in use by another program; choose another port for WebRTC: %w", number, err)
		}
		return nil, fmt.Errorf("opening UDP port %d for WebRTC: %w", number, err)
	}
	if err := errors.Join(socket.SetReadBuffer(socketBuffer), socket.SetWriteBuffer(socketBuffer)); err != nil {
		logger.Debug("socket buffers stay small", "error", err)
	}
	local, err := stdnet.NewNet()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listing network interfaces: %w", err), socket.Close())
	}
	port := 0
	if a, ok := socket.LocalAddr().(*net.UDPAddr); ok {
		port = a.Port
	}
	return &mux{
		UniversalUDPMuxDefault: ice.NewUniversalUDPMuxDefault(ice.UniversalUDPMuxParams{
			Logger:  pionLogger{logger: logger, scope: "mux"},
			UDPConn: batchUDP(socket, logger),
			Net:     local,
		}),
		port:     port,
		loopback: cfg.Loopback,
		on:       cfg.Interface,
	}, nil
}

// listenUDP opens a port for IPv6 and IPv4, or for IPv4 where the system or the settings have no IPv6.
func listenUDP(port int, cfg Config) (*net.UDPConn, error) {
	network := "udp"
	if cfg.IPv4Only {
		network = "udp4"
	}
	if cfg.Interface.On() || cfg.IPv4Only {
		socket, err := cfg.Interface.ListenPacket(network, ":"+strconv.Itoa(port))
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		return socket.(*net.UDPConn), nil //nolint:forcetypeassert // UDP gives nothing else
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv6unspecified, Port: port})
	if err == nil || errors.Is(err, syscall.EADDRINUSE) {
		return socket, err
	}
	return net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4zero, Port: port})
}

// GetListenAddresses lists the addresses to offer as host candidates. They are read anew each
// time, since a machine changes networks while the program runs.
func (m *mux) GetListenAddresses() []net.Addr {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	local, _ := m.LocalAddr().(*net.UDPAddr)
	only4 := local != nil && local.IP.To4() != nil
	var allowed []netip.Addr
	if m.on.On() && (m.on.Strict || m.on.Up()) {
		allowed = append([]netip.Addr{}, m.on.Addresses()...)
	}
	var out []net.Addr
	for _, a := range own {
		ipNet, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip := ipNet.IP
		if allowed != nil && !slices.ContainsFunc(allowed, func(a netip.Addr) bool { return ip.Equal(a.AsSlice()) }) {
			continue
		}
		switch {
		case ip.IsLoopback() && !m.loopback,
			ip.To4() == nil && (only4 || ip.IsLinkLocalUnicast()),
			!ip.IsGlobalUnicast() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast():
			continue
		}
		if len(out) < maxListenAddresses {
			out = append(out, &net.UDPAddr{IP: ip, Port: m.port})
		}
	}
	return out
}
