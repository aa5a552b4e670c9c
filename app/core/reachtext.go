// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import "fmt"

// explain writes the sentences of a report. With twice, the router lets peers in but is itself behind
// another.
func explain(r *Reachability, twice bool) {
	explainRTC(&r.WebRTC, r)
	explainPlain(&r.TCP, "TCP", r)
	explainPlain(&r.UTP, "UDP", r)
	if twice {
		for _, p := range []*PortReach{&r.TCP, &r.UTP} {
			if p.State == ReachClosed {
				p.Message = fmt.Sprintf("Port %d is closed: your router lets peers in, but it is behind another router, the provider's perhaps.", p.Port)
				p.Fix = "Ask the provider for a public address, or use IPv6 or a VPN that forwards ports."
			}
		}
	}
	switch {
	case r.Held:
		r.Message = fmt.Sprintf("The kill switch holds all peer traffic back, for the network interface %s is not there.", r.Interface)
		r.Fix = "Connect the VPN, or choose another interface in the settings."
		return
	case r.WebRTC.State == ReachOff && r.TCP.State == ReachOff && r.UTP.State == ReachOff:
		r.Message = "Nobody can reach you: WebRTC, TCP and µTP are all off."
		r.Fix = "Switch one of them on in the settings to share what you watch."
		return
	}
	clients, fix := better(r.TCP, r.UTP)
	browsers := r.WebRTC.State
	switch {
	case good(browsers) && good(clients.State):
		r.Message = "Browsers and other torrent clients can reach you."
		if browsers == ReachLikely || clients.State == ReachLikely {
			r.Message = "Browsers and other torrent clients should be able to reach you; nobody from outside has tried everything yet."
		}
	case good(browsers) && clients.State == ReachClosed:
		r.Message, r.Fix = fmt.Sprintf("Browsers can reach you; other torrent clients cannot: port %d is closed.", clients.Port), fix
	case good(browsers) && clients.State == ReachOff:
		r.Message = "Browsers can reach you. TCP and µTP are off, so other torrent clients are not met."
	case good(browsers):
		r.Message = "Browsers can reach you. Whether other torrent clients can is not known yet."
	case browsers == ReachClosed && good(clients.State):
		r.Message, r.Fix = "Other torrent clients can reach you; many browsers cannot.", r.WebRTC.Fix
	case browsers == ReachClosed:
		r.Message, r.Fix = "Most peers cannot reach you. You reach those that are open themselves, so watching works; sharing back is slow.", r.WebRTC.Fix
		if clients.State == ReachClosed {
			r.Fix = fix
		}
	case browsers == ReachOff && good(clients.State):
		r.Message = "Other torrent clients can reach you. WebRTC is off, so browsers cannot."
	case clients.State == ReachClosed:
		r.Message, r.Fix = fmt.Sprintf("Other torrent clients cannot reach you: port %d is closed.", clients.Port), fix
	default:
		r.Message = "Who can reach you is not known yet: it shows when the first peers from outside come."
	}
}

func good(s ReachState) bool { return s == ReachOpen || s == ReachLikely }

// better is the port of the two that torrent clients get in by sooner, with what to do for it.
func better(tcp, utp PortReach) (PortReach, string) {
	rank := func(s ReachState) int {
		switch s {
		case ReachOpen:
			return 4
		case ReachLikely:
			return 3
		case ReachUnknown:
			return 2
		case ReachClosed:
			return 1
		case ReachOff:
		}
		return 0
	}
	if rank(utp.State) > rank(tcp.State) {
		return utp, utp.Fix
	}
	return tcp, tcp.Fix
}

func explainPlain(p *PortReach, protocol string, r *Reachability) {
	switch p.State {
	case ReachOff:
		p.Message = "Off."
	case ReachOpen:
		p.Message = fmt.Sprintf("Torrent clients reach %s port %d: %d got in.", protocol, p.Port, p.Seen)
	case ReachLikely:
		p.Message = fmt.Sprintf("%s port %d should be open; nobody from outside has come yet.", protocol, p.Port)
		if r.NAT == NATNone && p.External == "" {
			p.Fix = fmt.Sprintf("If nobody comes, let %s port %d through this machine's firewall.", protocol, p.Port)
		}
	case ReachClosed:
		p.Message = fmt.Sprintf("%s port %d is closed: the router lets nobody in.", protocol, p.Port)
		p.Fix = fixPort(p, protocol)
	case ReachUnknown:
		p.Message = fmt.Sprintf("Whether %s port %d is open is not known yet.", protocol, p.Port)
	}
}

func fixPort(p *PortReach, protocol string) string {
	if p.Method == MapOff {
		return fmt.Sprintf("Switch on port mapping in the settings, or forward %s port %d to this machine in the router.", protocol, p.Port)
	}
	return fmt.Sprintf("Switch on UPnP or NAT-PMP in the router, or forward %s port %d to this machine there.", protocol, p.Port)
}

func explainRTC(p *PortReach, r *Reachability) {
	switch p.State {
	case ReachOff:
		p.Message = "Off: browsers cannot reach you."
	case ReachOpen:
		p.Message = fmt.Sprintf("Browsers and other Shoals reach you: %d connections came about.", p.Seen)
	case ReachLikely:
		p.Message = "Browsers and other Shoals should be able to reach you; none from outside has come yet."
	case ReachClosed:
		p.Message = "The router gives each peer another port, so browsers behind a router of the same kind cannot reach you."
		p.Fix = fmt.Sprintf("Forward UDP port %d to this machine in the router, or set up a TURN server in the settings.", p.Port)
		if r.NAT == NATBlocked {
			p.Message = "No STUN server answers: this network seems to let no UDP out, so browsers cannot reach you."
			p.Fix = "Allow UDP in the firewall, or set up a TURN server over TCP (turns:) in the settings."
		}
	case ReachUnknown:
		p.Message = "Whether browsers can reach you is not known yet."
		if !r.Checked.IsZero() {
			p.Fix = "Switch on the public STUN server in the settings, or name two STUN servers there."
		}
	}
}
