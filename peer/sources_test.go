// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// badWebSeeds are WebSeeds that answer a range request with something else.
func badWebSeeds(f *fixture) map[string]http.HandlerFunc {
	endless := func(w http.ResponseWriter, r *http.Request) {
		for zeros := make([]byte, 64<<10); r.Context().Err() == nil; {
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
	}
	partial := func(w http.ResponseWriter, r *http.Request, of string) {
		w.Header().Set("Content-Range", of)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(f.data[:100])
		_ = r
	}
	return map[string]http.HandlerFunc{
		"the whole file, and 200":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(f.data) },
		"an endless body, and 200": endless,
		"an endless body, and 206": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusPartialContent); endless(w, r) },
		"a body that stalls": func(w http.ResponseWriter, r *http.Request) {
			partial(w, r, "bytes 0-99/100")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"no answer at all":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"redirects in a ring": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"a redirect to a file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"another range":       func(w http.ResponseWriter, r *http.Request) { partial(w, r, "bytes 5-104/9999") },
		"a range of nonsense": func(w http.ResponseWriter, r *http.Request) { partial(w, r, "bytes -1-x/y") },
		"too little": func(w http.ResponseWriter, r *http.Request) {
			partial(w, r, fmt.Sprintf("bytes 0-%d/%d", len(f.data)-1, len(f.data)))
		},
		"416": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) },
		"429 and a year of pause": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "31536000")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"a hang-up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"headers of 1 MB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", mib))
			w.WriteHeader(http.StatusPartialContent)
		},
		"a page of HTML": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>log in first</html>")) },
		"wrong bytes in the middle": func(w http.ResponseWriter, r *http.Request) {
			wrong := bytes.Clone(f.data)
			clear(wrong[mib : mib+100])
			http.ServeContent(w, r, "film.mp4", time.Unix(1, 0), bytes.NewReader(wrong))
		},
	}
}

// TestBadWebSeeds fetches from a WebSeed that misbehaves until a peer comes: memory is bounded, and the
// file completes.
func TestBadWebSeeds(t *testing.T) {
	f := newFixture(t, 4*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	for name, handler := range badWebSeeds(f) {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				handler(w, r)
			}))
			t.Cleanup(server.Close) // after the engine, which lets go of its requests
			e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
			before := heapMiB()
			target := f.target()
			target.WebSeeds = []string{server.URL + "/film.mp4"}
			s := join(t, e, target, JoinOptions{})
			s.Download()
			waitUntil(t, "a request", func() bool { return asked.Load() > 0 })
			if err := s.merge(Target{Peers: []string{seeder.addr()}}); err != nil {
				t.Fatal(err)
			}
			waitComplete(t, s)
			checkFile(t, s, f)
			if after := heapMiB(); after > before+48 {
				t.Fatalf("%d MiB became %d", before, after)
			}
			if n := asked.Load(); n > 2000 {
				t.Fatalf("%d requests", n)
			}
		})
	}
}

// badTrackers are what HTTP trackers answer that do not know better.
func badTrackers() map[string]http.HandlerFunc {
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	var peers []byte
	for i := range 10_000 {
		peers = append(peers, 198, 51, byte(i>>8), byte(i), 0x1a, 0xe1)
	}
	return map[string]http.HandlerFunc{
		"garbage":               text("\x00\xff garbage"),
		"nothing":               text(""),
		"a page of HTML":        text("<html>"),
		"lists in lists":        text(strings.Repeat("l", 1<<20)),
		"a huge string":         text("d8:intervali60e5:peers999999999999:"),
		"interval of years":     text("d8:intervali2000000000e5:peers0:e"),
		"interval over 64 bits": text("d8:intervali99999999999999999999999e5:peers0:e"),
		"negative interval":     text("d8:intervali-7e5:peers0:e"),
		"no interval":           text("d5:peers0:e"),
		"failure":               text("d14:failure reason300000:" + strings.Repeat("x", 300000) + "e"),
		"10,000 peers":          text(fmt.Sprintf("d8:intervali60e5:peers%d:%se", len(peers), peers)),
		"peers at port 0":       text("d8:intervali60e5:peers6:\x7f\x00\x00\x01\x00\x00e"),
		"half a peer":           text("d8:intervali60e5:peers3:abce"),
		"redirects in a ring":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) },
		"a redirect to a file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"a redirect to UDP": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "udp://127.0.0.1:1", http.StatusFound)
		},
		"a body of 100 MB": func(w http.ResponseWriter, r *http.Request) {
			for zeros := make([]byte, mib); r.Context().Err() == nil; {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		},
		"no answer at all": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a hang-up":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":              func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	}
}

// TestBadTrackers joins with trackers that misbehave, all at once, beside one that does not: that one
// brings the peer, the others are asked again within bounds, and each says in a sentence what is wrong.
func TestBadTrackers(t *testing.T) {
	f := newFixture(t, 2*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	good := newHTTPTracker(t)
	good.peers = []string{seeder.addr()}
	for name, handler := range badTrackers() {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close) // after the engine, which lets go of its requests
			e := newEngine(t, Config{Sources: Sources{SourceTCP}})
			before := heapMiB()
			target := f.target()
			target.Trackers = []string{server.URL + "/announce", good.URL + "/announce"}
			s := join(t, e, target, JoinOptions{})
			s.Download()
			waitComplete(t, s)
			if name != "no answer at all" { // it takes 15 s to give up
				waitUntil(t, "an opinion of the tracker", func() bool { return !s.Stats().Trackers[0].LastAnnounce.IsZero() })
			}
			st := s.Stats().Trackers[0]
			if wait := time.Until(st.NextAnnounce); !st.NextAnnounce.IsZero() && (wait > maxAnnounceInterval || wait < minAnnounceRetry/2) {
				t.Fatalf("next announce in %s", wait)
			}
			if len(st.LastError) > 1000 {
				t.Fatalf("an error of %d bytes", len(st.LastError))
			}
			if n := s.loaded().Stats().TotalPeers; n > 600 {
				t.Fatalf("%d addresses are kept", n)
			}
			if after := heapMiB(); after > before+24 {
				t.Fatalf("%d MiB became %d", before, after)
			}
		})
	}
}

// TestBadUDPTracker answers announces by UDP (BEP 15) with garbage, and then not at all.
func TestBadUDPTracker(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var heard atomic.Int64
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			heard.Add(1)
			for _, answer := range [][]byte{
				nil, buf[:4], bytes.Repeat([]byte{0xff}, 1400),
				append([]byte{0, 0, 0, 3}, append(bytes.Clone(buf[12:16]), strings.Repeat("no ", 300)...)...),
				append([]byte{0, 0, 0, 0}, bytes.Clone(buf[12:16])...),
				append([]byte{0, 0, 0, 1}, append(bytes.Clone(buf[12:16]), bytes.Repeat([]byte{0xff}, 1000)...)...),
			} {
				_, _ = conn.WriteToUDP(answer, from)
			}
			_ = n
		}
	}()
	f := newFixture(t, mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	good := newHTTPTracker(t)
	good.peers = []string{seeder.addr()}
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	port := conn.LocalAddr().(*net.UDPAddr).Port
	target.Trackers = []string{"udp://127.0.0.1:" + strconv.Itoa(port), good.URL + "/announce"}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	waitUntil(t, "the tracker to be asked", func() bool { return heard.Load() > 0 })
	if n := heard.Load(); n > 20 {
		t.Fatalf("asked %d times", n)
	}
}
