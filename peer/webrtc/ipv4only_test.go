// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestIPv4Only: no candidate is offered that is of IPv6, no TURN server asked by it, and the port does
// not take it; with IPv6 there is all of that.
func TestIPv4Only(t *testing.T) {
	turn, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	defer turn.Close()
	asked := make(chan struct{}, 100)
	go func() {
		for b := make([]byte, 1500); ; {
			if _, _, err := turn.ReadFrom(b); err != nil {
				return
			}
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	}()
	for _, only := range []bool{true, false} {
		f := newFakeTracker(t)
		times := quickTimes()
		times.gather = 500 * time.Millisecond
		tr := testTransport(t, times, func(c *Config) {
			c.IPv4Only = only
			c.ICEServers = []ICEServer{{URLs: []string{"turn:" + turn.LocalAddr().String() + "?transport=udp"}, Username: "u", Credential: "c"}}
		})
		cfg := swarmOf("a", f.URL)
		tr.Join(cfg)
		var six, four int
		eventually(t, "offers", func() bool {
			six, four = 0, 0
			for _, m := range f.announces(cfg.PeerID) {
				for _, o := range m.Offers {
					for line := range strings.SplitSeq(o.Offer.SDP, "\r\n") {
						value, ok := strings.CutPrefix(line, "a=candidate:")
						if !ok {
							continue
						}
						if ip, err := netip.ParseAddr(strings.Fields(value)[4]); err == nil && ip.Is4() {
							four++
						} else {
							six++
						}
					}
				}
			}
			return four > 0
		})
		if (six == 0) != only {
			t.Errorf("IPv4 only %t: %d candidates of IPv6", only, six)
		}
		port, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback, Port: tr.Port()})
		if (err == nil) != only {
			t.Errorf("IPv4 only %t: the port over IPv6: %v", only, err)
		}
		if err == nil {
			_ = port.Close()
		}
		if only {
			if err := tr.Close(); err != nil { // what it would ask, it has asked
				t.Fatal(err)
			}
			if len(asked) > 0 {
				t.Error("the TURN server was asked by IPv6")
			}
			continue
		}
		eventually(t, "the TURN server to be asked", func() bool { return len(asked) > 0 })
	}
}
