// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

// cleanSDP takes from a stranger's session description the candidates that we cannot or will not
// use: other than UDP, host names (mDNS ones among them, which we never resolve), loopback unless
// it is allowed, and any beyond maxCandidates. A connection can still come about without them: the
// other side's checks tell where it is. It returns the addresses that are left, too.
func cleanSDP(sdp string, loopback bool) (clean string, addresses []netip.AddrPort) {
	lines := slices.DeleteFunc(strings.Split(sdp, "\n"), func(line string) bool {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:")
		if !ok {
			return false
		}
		address, ok := candidateAddress(value, loopback)
		if !ok || len(addresses) >= maxCandidates {
			return true
		}
		addresses = append(addresses, address)
		return false
	})
	return strings.Join(lines, "\n"), addresses
}

// candidateAddress is where a candidate is, if we can use it. A candidate reads "foundation
// component transport priority address port typ …" (RFC 8839 §5.1).
func candidateAddress(value string, loopback bool) (netip.AddrPort, bool) {
	f := strings.Fields(value)
	if len(f) < 8 || !strings.EqualFold(f[2], "udp") {
		return netip.AddrPort{}, false
	}
	ip, err := netip.ParseAddr(f[4])
	port, perr := strconv.ParseUint(f[5], 10, 16)
	if err != nil || perr != nil || port == 0 || ip.Zone() != "" {
		return netip.AddrPort{}, false
	}
	ip = ip.Unmap()
	ok := ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast() || (loopback && ip.IsLoopback())
	return netip.AddrPortFrom(ip, uint16(port)), ok
}

// addCandidates adds the addresses that STUN servers saw our port as (server reflexive candidates,
// RFC 8445 §5.1.1.2) to a description that is complete otherwise.
func addCandidates(sdp string, mapped []netip.AddrPort) string {
	if len(mapped) == 0 {
		return sdp
	}
	var add strings.Builder
	for i, m := range mapped {
		// Priority: type preference 100, no local preference, component 1 (RFC 8445 §5.1.2.1).
		fmt.Fprintf(&add, "a=candidate:srflx%d 1 udp %d %s %d typ srflx raddr 0.0.0.0 rport 0\r\n",
			i, uint32(100)<<24|uint32(65535-i)<<8|255, m.Addr(), m.Port())
	}
	if before, after, ok := strings.Cut(sdp, "a=end-of-candidates"); ok {
		return before + add.String() + "a=end-of-candidates" + after
	}
	return sdp + add.String()
}

// turnServers are those of the servers that relay; pion keeps a socket for each.
func turnServers(servers []ICEServer) []webrtc.ICEServer {
	var out []webrtc.ICEServer
	for _, s := range servers {
		urls := slices.DeleteFunc(slices.Clone(s.URLs), func(u string) bool {
			parsed, err := stun.ParseURI(u)
			return err != nil || (parsed.Scheme != stun.SchemeTypeTURN && parsed.Scheme != stun.SchemeTypeTURNS)
		})
		if len(urls) > 0 {
			out = append(out, webrtc.ICEServer{URLs: urls, Username: s.Username, Credential: s.Credential})
		}
	}
	return out
}
