// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/bound"
	"shoal/peer/portmap"
	"shoal/peer/safedial"
	"shoal/peer/webrtc"
)

// ReachState says whether peers get in by a port.
type ReachState string

// The states of a port.
const (
	ReachOpen    ReachState = "open"    // somebody got in
	ReachLikely  ReachState = "likely"  // nothing known is in the way
	ReachClosed  ReachState = "closed"  // nobody gets in
	ReachUnknown ReachState = "unknown" // not checked yet, or nobody answered
	ReachOff     ReachState = "off"     // the settings leave it out
)

// NATType is how the router translates addresses, as STUN servers see it (RFC 4787 §4.1).
type NATType string

// The kinds of NAT.
const (
	NATNone        NATType = "none"                 // this machine has a public address
	NATIndependent NATType = "endpoint-independent" // one address for every destination: STUN is enough
	NATSymmetric   NATType = "symmetric"            // another for each: behind two of these, TURN is needed
	NATBlocked     NATType = "blocked"              // no STUN server answers
	NATUnknown     NATType = "unknown"              // not checked, or one STUN server alone answers
)

// MapMethod is how the router was asked to let peers in.
type MapMethod string

// The ways of port mapping. Where no router answers it is MapNone.
const (
	MapUPnP   MapMethod = "upnp"
	MapNATPMP MapMethod = "natpmp"
	MapPCP    MapMethod = "pcp"
	MapNone   MapMethod = "none"
	MapOff    MapMethod = "off"
)

// PortReach is one port and who gets in by it. Message and Fix are English sentences for a person;
// Fix is empty where there is nothing to do.
type PortReach struct {
	Port     int        `json:"port"`               // 0: not open
	External string     `json:"external,omitempty"` // IP:port that the router maps to it
	Method   MapMethod  `json:"method"`
	State    ReachState `json:"state"`
	Seen     int64      `json:"seen"` // peers that got in from outside so far
	Message  string     `json:"message"`
	Fix      string     `json:"fix,omitempty"`
}

// Reachability tells who can reach this machine, and what to do where somebody cannot.
type Reachability struct {
	Checked time.Time `json:"checked,omitzero"` // of the last check, zero before the first
	WebRTC  PortReach `json:"webrtc"`
	TCP     PortReach `json:"tcp"`
	UTP     PortReach `json:"utp"`
	NAT     NATType   `json:"nat"`
	// External are this machine's addresses as others see them, as far as known.
	External []string `json:"external"`
	IPv6     bool     `json:"ipv6"` // there is a public IPv6 address, and it is used
	IPv6Off  bool     `json:"ipv6Off,omitempty"`
	// Interface is the network interface that all peer traffic goes through, "" for any; InterfaceUp
	// says that it is there, and Held that the kill switch stops all peer traffic because it is not.
	Interface   string `json:"interface,omitempty"`
	InterfaceUp bool   `json:"interfaceUp"`
	Held        bool   `json:"held"`
	Proxy       string `json:"proxy,omitempty"` // of trackers and WebSeeds, without its password
	TURN        bool   `json:"turn"`            // a TURN server is set up
	Message     string `json:"message"`         // the whole in one or two sentences
	Fix         string `json:"fix,omitempty"`
}

// reachability keeps what the last check found.
type reachability struct {
	checking sync.Mutex // one check at a time

	mu      sync.Mutex
	checked time.Time
	nat     webrtc.NAT
}

// Reachability returns the report at once: what was seen so far and what the last check found.
func (a *App) Reachability() Reachability {
	a.reach.mu.Lock()
	checked, nat := a.reach.checked, a.reach.nat
	a.reach.mu.Unlock()
	return report(reachFacts{
		network: a.options.Config.Get().Network, engine: a.engine.Reach(), sources: a.engine.Sources(),
		port: a.engine.Port(), icePort: a.engine.WebRTCPort(), checked: checked, nat: nat, on: a.named.on, addresses: a.engine.Addresses(),
	})
}

// CheckReachability asks STUN servers and the router, which takes some seconds, and returns the
// report. Without an answer it returns what is known.
func (a *App) CheckReachability(ctx context.Context) Reachability {
	a.reach.checking.Lock()
	defer a.reach.checking.Unlock()
	if a.options.Config.Get().Network.PortMapping && !a.options.Local && !a.named.on.On() {
		asking, cancel := context.WithTimeout(ctx, routerWait)
		a.engine.CheckPortForwarding(asking)
		cancel()
	}
	nat := a.engine.AskSTUN(ctx)
	if ctx.Err() == nil {
		a.reach.mu.Lock()
		a.reach.checked, a.reach.nat = time.Now().UTC(), nat
		a.reach.mu.Unlock()
	}
	return a.Reachability()
}

// routerWait bounds how long the router is waited for.
const routerWait = 12 * time.Second

// reachFacts are what a report is made of.
type reachFacts struct {
	network config.Network
	engine  peer.Reach
	sources peer.Sources
	port    int
	icePort int
	checked time.Time
	nat     webrtc.NAT
	on      bound.Interface
	// addresses are those of this machine that peers may come to.
	addresses []netip.Addr
}

// report makes the report.
func report(f reachFacts) Reachability {
	r := Reachability{
		Checked: f.checked, NAT: natType(f.nat, f.addresses), External: []string{}, Proxy: withoutPassword(f.network.Proxy), TURN: hasTURN(f.network),
		InterfaceUp: true, IPv6Off: !f.network.IPv6,
	}
	public := false
	for _, ip := range f.addresses {
		switch {
		case !safedial.Public(ip):
		case ip.Is6():
			r.IPv6 = true
		default:
			public = true
		}
	}
	for _, m := range f.nat.Mapped {
		if ip := m.Addr().String(); len(r.External) == 0 || r.External[len(r.External)-1] != ip {
			r.External = append(r.External, ip)
		}
	}
	if on := f.on; on.On() {
		r.Interface, r.InterfaceUp, r.Held = on.Name, on.Up(), on.Held()
	}
	method := MapNone
	if !f.network.PortMapping || f.on.On() {
		method = MapOff
	}
	lets := false // the router lets somebody in, from a public address of its own
	mapped := func(p *PortReach, m *portmap.Mapping) bool {
		if m == nil {
			return false
		}
		p.Method, p.External = MapMethod(m.Method), m.External.String()
		if !m.External.Addr().IsValid() {
			p.External = ""
			return true // some routers do not know their address
		}
		lets = lets || safedial.Public(m.External.Addr())
		return safedial.Public(m.External.Addr())
	}
	plain := func(source peer.Source, seen peer.Seen, m *portmap.Mapping) PortReach {
		p := PortReach{Method: method, Seen: seen.Public}
		if !f.sources.Has(source) || f.port == 0 {
			p.State = ReachOff
			return p
		}
		p.Port = f.port
		p.State = plainState(seen, mapped(&p, m) || public, !f.checked.IsZero(), len(f.addresses) > 0)
		return p
	}
	r.TCP, r.UTP = plain(peer.SourceTCP, f.engine.TCP, f.engine.MappedTCP), plain(peer.SourceUTP, f.engine.UTP, f.engine.MappedUTP)
	r.WebRTC = PortReach{Method: method, Seen: f.engine.WebRTC.Direct, Port: f.icePort}
	if f.icePort == 0 {
		r.WebRTC.State = ReachOff
	} else {
		open := mapped(&r.WebRTC, f.engine.MappedWebRTC) || public
		r.WebRTC.State = rtcState(f.engine.WebRTC, r.NAT, open, r.TURN)
	}
	twice := method != MapOff && r.TCP.External+r.UTP.External+r.WebRTC.External != "" && !lets
	explain(&r, twice)
	return r
}

// plainState judges a port that a peer must be able to knock at.
func plainState(seen peer.Seen, public, checked, online bool) ReachState {
	switch {
	case seen.Public > 0:
		return ReachOpen
	case public:
		return ReachLikely
	case !checked || !online:
		return ReachUnknown
	}
	return ReachClosed
}

// rtcState judges the WebRTC port, where both sides knock at the same time.
func rtcState(met webrtc.Met, nat NATType, public, turn bool) ReachState {
	switch {
	case met.Direct > 0:
		return ReachOpen
	case public, turn, nat == NATIndependent:
		return ReachLikely
	case nat == NATSymmetric, nat == NATBlocked:
		return ReachClosed
	}
	return ReachUnknown
}

func natType(n webrtc.NAT, addresses []netip.Addr) NATType {
	if slices.ContainsFunc(n.Mapped, func(m netip.AddrPort) bool { return slices.Contains(addresses, m.Addr()) }) {
		return NATNone
	}
	switch {
	case len(n.Mapped) > 1:
		return NATSymmetric
	case n.Answered > 1:
		return NATIndependent
	case n.Asked > 0 && n.Answered == 0:
		return NATBlocked
	}
	return NATUnknown
}

func hasTURN(n config.Network) bool {
	for _, s := range n.AllICEServers() {
		for _, u := range s.URLs {
			if strings.HasPrefix(u, "turn") {
				return true
			}
		}
	}
	return false
}

func withoutPassword(proxy string) string {
	u, err := url.Parse(proxy)
	if err != nil || proxy == "" {
		return ""
	}
	u.User = nil
	return u.String()
}
