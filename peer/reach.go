// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/anacrolix/torrent"

	"shoal/peer/portmap"
	"shoal/peer/safedial"
	"shoal/peer/webrtc"
)

// Seen counts connections that peers made to us; a peer that got through proves that a port is open.
type Seen struct {
	Local  int64 // from the same network; loopback does not count
	Public int64 // from the Internet
}

// Reach is what the engine knows of how it can be reached.
type Reach struct {
	TCP, UTP Seen       // incoming connections
	WebRTC   webrtc.Met // connections either way: both sides knock at the same time

	// MappedTCP, MappedUTP and MappedWebRTC are what the router lets in; nil where it does not.
	// MapError says why ports are not mapped, once that was tried.
	MappedTCP, MappedUTP, MappedWebRTC *portmap.Mapping
	MapError                           error
}

// Reach returns what is known. It asks nobody.
func (e *Engine) Reach() Reach {
	r := Reach{TCP: e.seen[0].load(), UTP: e.seen[1].load()}
	if e.transport != nil {
		r.WebRTC = e.transport.Met()
	}
	for _, m := range []struct {
		into     **portmap.Mapping
		protocol portmap.Protocol
		port     int
	}{{&r.MappedTCP, portmap.TCP, e.port}, {&r.MappedUTP, portmap.UDP, e.port}, {&r.MappedWebRTC, portmap.UDP, e.WebRTCPort()}} {
		if got, ok := e.mapper.Mapping(portmap.Port{Protocol: m.protocol, Number: m.port}); ok {
			*m.into = &got
		}
	}
	r.MapError = e.mapper.Err()
	return r
}

// AskSTUN asks the STUN servers how the WebRTC port looks from outside. It takes a few seconds at
// most.
func (e *Engine) AskSTUN(ctx context.Context) webrtc.NAT {
	if e.transport == nil {
		return webrtc.NAT{}
	}
	return e.transport.AskSTUN(ctx)
}

// SetICEServers changes the STUN and TURN servers of Config.WebRTC, for connections that come from now on.
func (e *Engine) SetICEServers(servers []webrtc.ICEServer) {
	if e.transport != nil {
		e.transport.SetICEServers(servers)
	}
}

// SetPortForwarding has the router asked to let peers in, or to let in nobody any more.
func (e *Engine) SetPortForwarding(on bool) {
	var ports []portmap.Port
	if on && !e.config.Interface.On() { // the router is not on that way
		e.mapping.Do(func() { e.wg.Go(func() { e.mapper.Run(e.ctx) }) })
		if e.sources.Has(SourceTCP) {
			ports = append(ports, portmap.Port{Protocol: portmap.TCP, Number: e.port})
		}
		if e.sources.Has(SourceUTP) {
			ports = append(ports, portmap.Port{Protocol: portmap.UDP, Number: e.port})
		}
		if n := e.WebRTCPort(); n > 0 {
			ports = append(ports, portmap.Port{Protocol: portmap.UDP, Number: n})
		}
	}
	e.mapper.Set(ports)
}

// CheckPortForwarding has the router asked again now, and waits for its answers.
func (e *Engine) CheckPortForwarding(ctx context.Context) { e.mapper.Check(ctx) }

// mappedICE is where the router lets WebRTC peers in; not valid where it does not.
func (e *Engine) mappedICE() netip.AddrPort {
	got, _ := e.mapper.Mapping(portmap.Port{Protocol: portmap.UDP, Number: e.WebRTCPort()})
	return got.External
}

// announcePort is the port that HTTP and UDP trackers hear: that of the router where it lets peers in by
// another one.
func (e *Engine) announcePort() uint16 {
	if got, ok := e.mapper.Mapping(portmap.Port{Protocol: portmap.TCP, Number: e.port}); ok {
		return got.External.Port()
	}
	return uint16(e.port)
}

// Addresses returns the addresses of this machine that peers may come to.
func (e *Engine) Addresses() []netip.Addr {
	if e.config.Interface.On() && (e.config.Interface.Strict || e.config.Interface.Up()) {
		return slices.DeleteFunc(e.config.Interface.Addresses(), e.isOff)
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
			out = append(out, p.Addr().Unmap())
		}
	}
	return slices.DeleteFunc(out, e.isOff)
}

// isOff reports whether an address is of IPv6 while that is switched off.
func (e *Engine) isOff(a netip.Addr) bool { return e.config.IPv4Only && !a.Is4() }

type seen struct{ local, public atomic.Int64 }

func (s *seen) load() Seen { return Seen{Local: s.local.Load(), Public: s.public.Load()} }

// noteIncoming counts a connection that a peer made.
func (e *Engine) noteIncoming(pc *torrent.PeerConn, source Source) {
	if pc.Discovery != torrent.PeerSourceIncoming || source != SourceTCP && source != SourceUTP {
		return
	}
	from, err := netip.ParseAddrPort(pc.RemoteAddr.String())
	if err != nil {
		return
	}
	s := &e.seen[0]
	if source == SourceUTP {
		s = &e.seen[1]
	}
	switch ip := from.Addr().Unmap(); {
	case ip.IsLoopback():
	case safedial.Public(ip):
		s.public.Add(1)
	default:
		s.local.Add(1)
	}
}
