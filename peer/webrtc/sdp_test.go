// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

const offerSDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" +
	"a=candidate:1 1 udp 2113937151 5d9c1a60-7e1e-4b3a-9d3a-0a4b8f5e0c11.local 50000 typ host\r\n" +
	"a=candidate:2 1 udp 2113937151 192.0.2.7 50001 typ host generation 0\r\n" +
	"a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active\r\n" +
	"a=candidate:4 1 UDP 2113937151 2001:db8::1 50002 typ host\r\n" +
	"a=candidate:5 1 udp 2113937151 127.0.0.1 50003 typ host\r\n" +
	"a=candidate:6 1 udp 2113937151 ::ffff:127.0.0.1 50003 typ host\r\n" +
	"a=candidate:7 1 udp 2113937151 192.0.2.8 0 typ host\r\n" +
	"a=candidate:8 1 udp 2113937151 0.0.0.0 5 typ host\r\n" +
	"a=candidate:9 1 udp 2113937151 239.1.1.1 5 typ host\r\n" +
	"a=candidate:\r\n" +
	"a=end-of-candidates\r\na=mid:0\r\n"

func TestCandidatesThatCannotBeUsedAreDropped(t *testing.T) {
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:50001"), netip.MustParseAddrPort("[2001:db8::1]:50002")}
	clean, got := cleanSDP(offerSDP, false)
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if n := strings.Count(clean, "a=candidate:"); n != len(want) || !strings.HasSuffix(clean, "a=end-of-candidates\r\na=mid:0\r\n") {
		t.Fatalf("got %q", clean)
	}
	if _, got := cleanSDP(offerSDP, true); len(got) != len(want)+2 {
		t.Fatalf("with loopback got %v", got)
	}
	var many strings.Builder
	for i := range 500 {
		fmt.Fprintf(&many, "a=candidate:%d 1 udp 1 192.0.2.7 %d typ host\r\n", i, i+1)
	}
	if _, got := cleanSDP(many.String(), false); len(got) != maxCandidates {
		t.Fatalf("%d candidates are left, want %d", len(got), maxCandidates)
	}
}

// TestAnMDNSCandidateDoesNoHarm: the peer's own checks tell where it is.
func TestAnMDNSCandidateDoesNoHarm(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	browser := id("b") // browsers hide their address like this
	f.change = func(from binary, d *description) {
		if string(from) != string(browser[:]) {
			return
		}
		lines := strings.Split(d.SDP, "\n")
		for i, line := range lines {
			if fields := strings.Fields(line); strings.HasPrefix(line, "a=candidate:") {
				fields[4] = "5d9c1a60-7e1e-4b3a-9d3a-0a4b8f5e0c11.local"
				lines[i] = strings.Join(fields, " ") + "\r"
			}
		}
		d.SDP = strings.Join(lines, "\n")
	}
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	ta.Join(ca)
	tb.Join(cb)
	accept(t, ta, ca)
	accept(t, tb, cb)
}

// FuzzCleanSDP: what is clean stays as it is, and keeps the same addresses.
func FuzzCleanSDP(f *testing.F) {
	f.Add(offerSDP, true)
	f.Add("a=candidate:1 1 udp 1 fe80::1%eth0 1 typ host", false)
	f.Fuzz(func(t *testing.T, sdp string, loopback bool) {
		clean, addresses := cleanSDP(sdp, loopback)
		again, same := cleanSDP(clean, loopback)
		if again != clean || !slices.Equal(addresses, same) || len(addresses) > maxCandidates {
			t.Fatalf("%q became %q, then %q", sdp, clean, again)
		}
		if strings.Count(clean, "a=candidate:") < len(addresses) {
			t.Fatalf("%d addresses in %q", len(addresses), clean)
		}
	})
}
