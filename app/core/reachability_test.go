// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/portmap"
	"shoal/peer/webrtc"
)

func TestReachabilityReport(t *testing.T) {
	private, public := netip.MustParseAddr("192.168.1.7"), netip.MustParseAddr("1.2.3.4")
	mapped := func(text ...string) (list []netip.AddrPort) {
		for _, s := range text {
			list = append(list, netip.MustParseAddrPort(s))
		}
		return list
	}
	base := func() reachFacts {
		return reachFacts{
			network: config.Defaults().Network, sources: peer.AllSources(), port: 42069, icePort: 42070,
			checked: time.Now(), addresses: []netip.Addr{private},
			nat: webrtc.NAT{Asked: 2, Answered: 2, Mapped: mapped("1.2.3.4:42070")},
		}
	}
	for _, c := range []struct {
		name              string
		change            func(*reachFacts)
		nat               NATType
		rtc, tcp          ReachState
		message, fix      string
		rtcFix, tcpFixHas string
	}{
		{
			name: "a common home router", change: func(*reachFacts) {}, nat: NATIndependent, rtc: ReachLikely, tcp: ReachClosed,
			message: "Browsers can reach you; other torrent clients cannot: port 42069 is closed.", fix: "forward TCP port 42069",
		},
		{
			name: "somebody got in", change: func(f *reachFacts) { f.engine.TCP.Public, f.engine.WebRTC.Direct = 3, 2 }, nat: NATIndependent,
			rtc: ReachOpen, tcp: ReachOpen, message: "Browsers and other torrent clients can reach you.",
		},
		{
			name: "peers of the house prove nothing", change: func(f *reachFacts) { f.engine.TCP.Local = 3 }, nat: NATIndependent,
			rtc: ReachLikely, tcp: ReachClosed, message: "port 42069 is closed", fix: "UPnP",
		},
		{
			name: "symmetric", change: func(f *reachFacts) { f.nat.Mapped = mapped("1.2.3.4:42070", "1.2.3.4:1025") }, nat: NATSymmetric,
			rtc: ReachClosed, tcp: ReachClosed, message: "Most peers cannot reach you", fix: "forward TCP port", rtcFix: "TURN",
		},
		{
			name: "symmetric with TURN", change: func(f *reachFacts) {
				f.nat.Mapped = mapped("1.2.3.4:42070", "1.2.3.4:1025")
				f.network.ICEServers = []config.ICEServer{{URLs: []string{"turn:t.example:3478"}, Username: "u", Credential: "c"}}
			}, nat: NATSymmetric, rtc: ReachLikely, tcp: ReachClosed, message: "Browsers can reach you",
		},
		{
			name: "no UDP", change: func(f *reachFacts) { f.nat = webrtc.NAT{Asked: 2} }, nat: NATBlocked,
			rtc: ReachClosed, tcp: ReachClosed, message: "Most peers cannot", rtcFix: "turns:",
		},
		{
			name: "a public address", change: func(f *reachFacts) { f.addresses = []netip.Addr{public} }, nat: NATNone,
			rtc: ReachLikely, tcp: ReachLikely, message: "should be able to reach you", tcpFixHas: "firewall",
		},
		{
			name: "not checked", change: func(f *reachFacts) { f.checked, f.nat = time.Time{}, webrtc.NAT{} }, nat: NATUnknown,
			rtc: ReachUnknown, tcp: ReachUnknown, message: "not known yet",
		},
		{
			name: "mapping is off", change: func(f *reachFacts) { f.network.PortMapping = false }, nat: NATIndependent,
			rtc: ReachLikely, tcp: ReachClosed, message: "port 42069 is closed", fix: "Switch on port mapping",
		},
		{
			name: "no WebRTC", change: func(f *reachFacts) { f.icePort, f.engine.UTP.Public = 0, 1 }, nat: NATIndependent,
			rtc: ReachOff, tcp: ReachClosed, message: "WebRTC is off, so browsers cannot",
		},
		{
			name: "the router lets peers in", change: func(f *reachFacts) {
				m := &portmap.Mapping{External: netip.MustParseAddrPort("1.2.3.4:42069"), Method: portmap.UPnP}
				f.engine.MappedTCP, f.engine.MappedUTP = m, m
			}, nat: NATIndependent, rtc: ReachLikely, tcp: ReachLikely, message: "should be able to reach you",
		},
		{
			name: "a router behind a router", change: func(f *reachFacts) {
				m := &portmap.Mapping{External: netip.MustParseAddrPort("100.64.7.7:42069"), Method: portmap.PCP}
				f.engine.MappedTCP, f.engine.MappedUTP = m, m
			}, nat: NATIndependent, rtc: ReachLikely, tcp: ReachClosed, message: "port 42069 is closed", fix: "Ask the provider",
		},
		{
			name: "all off", change: func(f *reachFacts) { f.icePort, f.port = 0, 0 }, nat: NATIndependent,
			rtc: ReachOff, tcp: ReachOff, message: "all off", fix: "Switch one of them on",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := base()
			c.change(&f)
			r := report(f)
			if r.NAT != c.nat || r.WebRTC.State != c.rtc || r.TCP.State != c.tcp {
				t.Errorf("nat %s, WebRTC %s, TCP %s", r.NAT, r.WebRTC.State, r.TCP.State)
			}
			if !strings.Contains(r.Message, c.message) || !strings.Contains(r.Fix, c.fix) || c.fix == "" && good(r.WebRTC.State) && good(r.TCP.State) && r.Fix != "" {
				t.Errorf("said %q, fix %q", r.Message, r.Fix)
			}
			if !strings.Contains(r.WebRTC.Fix, c.rtcFix) || !strings.Contains(r.TCP.Fix, c.tcpFixHas) {
				t.Errorf("WebRTC %+v, TCP %+v", r.WebRTC, r.TCP)
			}
		})
	}
}

func TestAProxysPasswordIsNotShown(t *testing.T) {
	f := reachFacts{network: config.Network{Proxy: "socks5://ann:secret@127.0.0.1:1080"}}
	if got := report(f).Proxy; got != "socks5://127.0.0.1:1080" {
		t.Errorf("got %q", got)
	}
}

// TestSTUNServersOfTheSettingsCountAtOnce counts what a server on loopback is asked.
func TestSTUNServersOfTheSettingsCountAtOnce(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	a := open(t, t.TempDir(), Options{})
	t.Cleanup(func() { _ = a.Close() })
	set := func(change func(*config.Network)) {
		if err := a.Config().Update(func(cfg *config.Config) { change(&cfg.Network) }); err != nil {
			t.Fatal(err)
		}
	}
	set(func(n *config.Network) { n.PublicSTUN, n.PortMapping = false, false })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = a.serveReachability(ctx) }() // it ends with ctx, without an error
	for a.Reachability().Checked.IsZero() {
		time.Sleep(time.Millisecond)
	}
	set(func(n *config.Network) {
		n.ICEServers = []config.ICEServer{{URLs: []string{"stun:" + server.LocalAddr().String()}}}
	})
	if err := server.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.ReadFromUDP(make([]byte, 1500)); err != nil {
		t.Errorf("the server is not asked: %v", err)
	}
}
