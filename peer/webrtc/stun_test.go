// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// stunServer is a STUN server on loopback that says 203.0.113.9 and what port makes of the asker's.
func stunServer(t testing.TB, port func(int) int) (address string) {
	t.Helper()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFromUDP(buf)
			if err != nil {
				return
			}
			request := &stun.Message{Raw: slices.Clone(buf[:n])}
			if request.Decode() != nil {
				continue
			}
			answer, err := stun.Build(request, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 9), Port: port(from.Port)})
			if err == nil {
				_, _ = server.WriteToUDP(answer.Raw, from)
			}
		}
	}()
	return server.LocalAddr().String()
}

func samePort(port int) int { return port }

// TestSTUNAddressOfThePortIsOffered asks a STUN server on loopback.
func TestSTUNAddressOfThePortIsOffered(t *testing.T) {
	server := stunServer(t, samePort)
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes(), func(c *Config) {
		c.ICEServers = []ICEServer{{URLs: []string{"stun:" + server, "nonsense"}}}
	})
	tr.Join(swarmOf("a", f.URL))
	eventually(t, "announced", func() bool { return len(f.announces(id("a"))) > 0 })
	want := fmt.Sprintf(" 203.0.113.9 %d typ srflx ", tr.Port())
	for _, o := range f.announces(id("a"))[0].Offers {
		if !strings.Contains(o.Offer.SDP, want) {
			t.Fatalf("offer lacks %q:\n%s", want, o.Offer.SDP)
		}
		clean, _ := cleanSDP(o.Offer.SDP, true)
		if !strings.Contains(clean, want) {
			t.Fatal("we would not use such a candidate ourselves")
		}
	}
	if _, err := tr.mappedBy(context.Background(), tr.ports.main.mux, &stun.URI{Host: "127.0.0.1", Port: 0}); err == nil {
		t.Fatal("a STUN server at port 0 answered")
	}
}

// TestKindOfNAT: two servers see one address or two.
func TestKindOfNAT(t *testing.T) {
	one, two := stunServer(t, samePort), stunServer(t, samePort)
	other := stunServer(t, func(port int) int { return port ^ 1 })
	for _, c := range []struct {
		servers          []string
		mapped, answered int
	}{{[]string{one, two}, 1, 2}, {[]string{one, other}, 2, 2}, {nil, 0, 0}} {
		tr := testTransport(t, quickTimes(), func(cfg *Config) {
			for _, s := range c.servers {
				cfg.ICEServers = append(cfg.ICEServers, ICEServer{URLs: []string{"stun:" + s}})
			}
		})
		nat := tr.AskSTUN(t.Context())
		if nat.Asked != len(c.servers) || nat.Answered != c.answered || len(nat.Mapped) != c.mapped {
			t.Errorf("%v: %+v", c.servers, nat)
		}
	}
}

func TestSTUNServersNamedLaterAreAsked(t *testing.T) {
	server := stunServer(t, samePort)
	tr := testTransport(t, quickTimes())
	if nat := tr.AskSTUN(t.Context()); nat.Asked != 0 {
		t.Fatalf("before: %+v", nat)
	}
	tr.SetICEServers([]ICEServer{{URLs: []string{"stun:" + server}}, {URLs: []string{"turn:127.0.0.1:1"}, Username: "u", Credential: "c"}})
	if nat := tr.AskSTUN(t.Context()); nat.Asked != 1 || nat.Answered != 1 {
		t.Errorf("named: %+v", nat)
	}
	pc, err := tr.newPeerConnection(tr.ports.main)
	if err != nil {
		t.Fatal(err)
	}
	if list := pc.GetConfiguration().ICEServers; len(list) != 1 || list[0].URLs[0] != "turn:127.0.0.1:1" {
		t.Errorf("a connection has %+v", list)
	}
	if err := pc.Close(); err != nil {
		t.Error(err)
	}
	tr.SetICEServers(nil)
	if nat := tr.AskSTUN(t.Context()); nat.Asked != 0 {
		t.Errorf("taken back: %+v", nat)
	}
}

// TestASilentSTUNServerDelaysOneOfferOnly: the first offer waits for it as long as gathering may take,
// and the next ones not at all.
func TestASilentSTUNServerDelaysOneOfferOnly(t *testing.T) {
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	asked := make(chan struct{}, 100)
	go func() {
		for buf := make([]byte, 1500); ; asked <- struct{}{} {
			if _, _, err := silent.ReadFromUDP(buf); err != nil {
				return
			}
		}
	}()
	times := quickTimes()
	times.gather = 300 * time.Millisecond
	tr := testTransport(t, times, func(cfg *Config) {
		cfg.ICEServers = []ICEServer{{URLs: []string{"stun:" + silent.LocalAddr().String()}}}
	})
	if got := tr.mapped(t.Context(), tr.ports.main.mux); len(got) != 0 {
		t.Fatalf("got %v", got)
	}
	<-asked
	eventually(t, "noted as silent", func() bool { return len(tr.toAsk()) == 0 })
	if nat := tr.AskSTUN(t.Context()); nat.Asked != 1 || nat.Answered != 0 {
		t.Fatalf("asked again, it is %+v", nat)
	}
}

// TestMappedPortIsOffered: the router lets peers in, so they are told where.
func TestMappedPortIsOffered(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes(), func(c *Config) {
		c.Mapped = func() netip.AddrPort { return netip.MustParseAddrPort("203.0.113.7:4242") }
	})
	tr.Join(swarmOf("a", f.URL))
	eventually(t, "announced", func() bool { return len(f.announces(id("a"))) > 0 })
	for _, o := range f.announces(id("a"))[0].Offers {
		if !strings.Contains(o.Offer.SDP, " 203.0.113.7 4242 typ srflx ") {
			t.Fatalf("the offer does not say it:\n%s", o.Offer.SDP)
		}
	}
}
