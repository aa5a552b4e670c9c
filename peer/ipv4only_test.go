// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/anacrolix/dht/v2"
)

// six is this machine by IPv6: who knocked there, by the name of what they looked for.
type six struct {
	mu     sync.Mutex
	knocks map[string]int
}

func (s *six) knock(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knocks[name]++
}

func (s *six) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knocks[name]
}

// http serves a handler, and returns its host.
func (s *six) http(t *testing.T, name string, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{
		Handler: h,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.knock(name)
			}
		},
	}}
	srv.Start()
	t.Cleanup(srv.Close)
	return l.Addr().String()
}

// udp takes datagrams, and returns where.
func (s *six) udp(t *testing.T, name string) net.Addr {
	t.Helper()
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		for b := make([]byte, 1500); ; s.knock(name) {
			if _, _, err := c.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	return c.LocalAddr()
}

// TestIPv4Only: of peers, WebSeeds, trackers of all kinds and DHT nodes that are on IPv6, none is asked;
// without the switch each of them is.
func TestIPv4Only(t *testing.T) {
	for _, only := range []bool{true, false} {
		t.Run(fmt.Sprint(only), func(t *testing.T) {
			f := newFixture(t, 2*mib, 256<<10)
			s := &six{knocks: map[string]int{}}
			fail := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }
			tcp, utp := s.http(t, "tcp", fail), s.udp(t, "utp")
			node := s.udp(t, "dht")
			seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 400 << 10}})
			// An HTTP tracker on IPv4 that names peers of both kinds (BEP 7).
			peers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				var compact strings.Builder
				for _, addr := range []string{tcp, utp.String()} {
					_, port, _ := net.SplitHostPort(addr)
					n, _ := strconv.Atoi(port)
					compact.WriteString(string(net.IPv6loopback) + string([]byte{byte(n >> 8), byte(n)}))
				}
				four := "\x7f\x00\x00\x01" + string([]byte{byte(seeder.Port() >> 8), byte(seeder.Port())})
				_, _ = io.WriteString(w, "d8:intervali900e5:peers6:"+four+"6:peers636:"+compact.String()+"e")
			}))
			defer peers.Close()
			config := Config{ListenHost: "0.0.0.0", IPv4Only: only, DHT: haveUTP}
			config.dhtNodes = func() ([]dht.Addr, error) { return []dht.Addr{dht.NewAddr(node)}, nil }
			e := newEngine(t, config)
			target := f.target()
			target.WebSeeds = []string{"http://" + s.http(t, "webseed", fail) + "/film.mp4"}
			target.Trackers = []string{
				peers.URL + "/announce", "http://" + s.http(t, "tracker", fail) + "/announce",
				"ws://" + s.http(t, "socket", fail) + "/", "udp://" + s.udp(t, "udp").String() + "/announce",
			}
			swarm := join(t, e, target, JoinOptions{})
			swarm.Download()
			names := []string{"tcp", "webseed", "tracker", "socket", "udp"}
			if haveUTP {
				names = append(names, "utp", "dht")
			}
			if !only {
				for _, name := range names {
					waitUntil(t, name+" to be asked by IPv6", func() bool { return s.count(name) > 0 })
				}
				return
			}
			waitComplete(t, swarm)
			checkFile(t, swarm, f)
			waitUntil(t, "the trackers to be given up", func() bool {
				n := 0
				for _, tr := range swarm.Stats().Trackers {
					if tr.LastError != "" {
						n++
					}
				}
				return n == 3
			})
			for _, a := range e.Addresses() {
				if a.Is6() {
					t.Errorf("%s is one of its addresses", a)
				}
			}
			if c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp6", net.JoinHostPort("::1", strconv.Itoa(e.Port()))); err == nil {
				_ = c.Close()
				t.Error("its TCP port is open by IPv6")
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if n := s.count(name); n > 0 {
					t.Errorf("%s was asked by IPv6 %d times", name, n)
				}
			}
		})
	}
}
