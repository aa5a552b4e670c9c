// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/anacrolix/torrent"

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
}

// Reach returns the counts so far. It takes no lock.
func (e *Engine) Reach() Reach {
	r := Reach{TCP: e.seen[0].load(), UTP: e.seen[1].load()}
	if e.transport != nil {
		r.WebRTC = e.transport.Met()
	}
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

// Addresses returns the addresses of this machine that peers may come to.
func (e *Engine) Addresses() []netip.Addr {
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
	return out
}

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
