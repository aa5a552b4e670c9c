// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/webrtc"
)

// configuredSources returns the transports that the settings allow.
func configuredSources(n config.Network) peer.Sources {
	var sources peer.Sources
	for _, s := range []struct {
		on     bool
		source peer.Source
	}{{n.WebRTC, peer.SourceWebRTC}, {n.TCP, peer.SourceTCP}, {n.UTP, peer.SourceUTP}, {n.WebSeed, peer.SourceWebSeed}} {
		if s.on {
			sources = append(sources, s.source)
		}
	}
	return sources
}

func iceServers(n config.Network) []webrtc.ICEServer {
	var servers []webrtc.ICEServer
	for _, s := range n.AllICEServers() {
		servers = append(servers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return servers
}

// onlyLoopback reports whether this machine has no other address than the loopback's.
func onlyLoopback() bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().IsLoopback() && !prefix.Addr().IsLinkLocalUnicast() {
			return false
		}
	}
	return true
}

// OnThisMachine reports whether an address (a URL, HOST:PORT or magnet) leads to this very
// machine's loopback.
func OnThisMachine(addr string) bool {
	addr = strings.TrimSpace(addr)
	if query, ok := strings.CutPrefix(addr, "magnet:?"); ok {
		values, err := url.ParseQuery(query)
		if err != nil {
			return false
		}
		for _, key := range []string{"tr", "ws", "xs"} {
			for _, v := range values[key] {
				if OnThisMachine(v) {
					return true
				}
			}
		}
		return false
	}
	if !strings.Contains(addr, "://") {
		addr = "//" + addr
	}
	u, err := url.Parse(addr)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 §6.3
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
