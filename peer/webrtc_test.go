// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	pp "github.com/anacrolix/torrent/peer_protocol"
)

func webRTCSeeder(tb testing.TB, f *fixture, tracker *wsTracker, config Config) *Engine {
	tb.Helper()
	e := newEngine(tb, config)
	s, err := e.Seed(tb.Context(), SeedFile{MetaInfo: f.mi, Path: f.path, Trackers: []string{tracker.url()}})
	if err != nil {
		tb.Fatal(err)
	}
	waitUntil(tb, "the seeder to announce", func() bool {
		trackers := s.Stats().Trackers
		return len(trackers) == 1 && trackers[0].Connected && !trackers[0].LastAnnounce.IsZero()
	})
	return e
}

// TestWebRTCAlone moves a file between two engines that have nothing but WebRTC, from a bare
// magnet link, and tells the tracker all it should know.
func TestWebRTCAlone(t *testing.T) {
	f := newFixture(t, 8*mib+99, 256<<10)
	tracker := newWSTracker(t)
	only := Config{Sources: Sources{SourceWebRTC}}
	seeder := webRTCSeeder(t, f, tracker, only)
	e := newEngine(t, only)
	target, err := ParseMagnet(Target{Infohash: f.hash, Trackers: []string{tracker.url()}}.Magnet())
	if err != nil {
		t.Fatal(err)
	}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, f)
	want := Bytes{WebRTC: int64(len(f.data))}
	if got := s.Stats(); got.Downloaded != want || got.Name != "film.mp4" {
		t.Fatalf("%+v", got)
	}
	up, _ := seeder.Swarm(f.hash)
	waitUntil(t, "the upload to be counted", func() bool { return up.Stats().Uploaded == want })
	waitUntil(t, "completed to be announced", func() bool { return tracker.heard("completed") == 1 })
	if err := s.Leave(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "stopped to be announced", func() bool { return tracker.heard("stopped") == 1 })
}

// TestWebRTCOff is its twin: with WebRTC off on one side not a byte moves.
func TestWebRTCOff(t *testing.T) {
	f := newFixture(t, mib, 256<<10)
	tracker := newWSTracker(t)
	seeder := webRTCSeeder(t, f, tracker, Config{Sources: Sources{SourceWebRTC}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebRTC}})
	target := f.target()
	target.Trackers = []string{tracker.url()}
	s := join(t, e, target, JoinOptions{Sources: Sources{SourceTCP}})
	s.Download()
	time.Sleep(time.Second)
	if got := s.Stats(); got.Completed != 0 || got.Peers.Sum() != 0 {
		t.Fatalf("%+v", got)
	}
	up, _ := seeder.Swarm(f.hash)
	if got := up.Stats(); got.Uploaded.Sum() != 0 || got.Peers.Sum() != 0 {
		t.Fatalf("%+v", got)
	}
}

// TestPEXKeepsBrowsersPrivate has a peer connected over TCP and one over WebRTC: neither hears of
// the other's address by PEX, for WebRTC peers have none that could be dialled.
func TestPEXKeepsBrowsersPrivate(t *testing.T) {
	f := newFixture(t, 8*mib, 256<<10)
	tracker := newWSTracker(t)
	middle := webRTCSeeder(t, f, tracker, Config{Sources: Sources{SourceWebRTC, SourceTCP}})
	browser := newEngine(t, Config{Sources: Sources{SourceWebRTC, SourceTCP}})
	target := f.target()
	target.Trackers = []string{tracker.url()}
	b := join(t, browser, target, JoinOptions{Sources: Sources{SourceWebRTC}})
	b.Download()
	waitComplete(t, b)
	plain := newEngine(t, Config{Sources: Sources{SourceTCP}, ReadAhead: 256 << 10}) // never complete: it would hang up
	p := join(t, plain, Target{Infohash: f.hash, MetaInfo: f.mi, Peers: []string{middle.addr()}}, JoinOptions{})
	st := openStream(t, p)
	readFull(t, st, 0, 1000, f)
	w := dialWire(t, middle, f, "listener")
	if err := w.send(msgExtended, byte(0), "d1:md6:ut_pexi1eee"); err != nil {
		t.Fatal(err)
	}
	told := pexPeers(t, w)
	for _, addr := range told {
		if !strings.HasPrefix(addr, "127.0.0.1:") { // those over WebRTC have made-up addresses of IPv6
			t.Errorf("told of %s", addr)
		}
	}
	if len(told) == 0 || len(told) > 2 {
		t.Errorf("told of %v, not of the one or two who are there over TCP", told)
	}
	for _, peer := range p.loaded().KnownSwarm() {
		if host, port, _ := net.SplitHostPort(peer.Addr.String()); port != strconv.Itoa(middle.Port()) && port != strconv.Itoa(plain.Port()) {
			t.Errorf("heard of %s:%s (%s)", host, port, peer.Source)
		}
	}
}

// pexPeers waits for a PEX message (BEP 11) and returns the addresses that it adds.
func pexPeers(t *testing.T, w *wire) (addrs []string) {
	t.Helper()
	for {
		body, err := w.await(msgExtended)
		if err != nil {
			t.Fatalf("no PEX message came: %v", err)
		}
		if len(body) == 0 || body[0] != 1 {
			continue
		}
		var m pp.PexMsg
		if err := bencode.Unmarshal(body[1:], &m); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Added {
			addrs = append(addrs, p.String())
		}
		for _, p := range m.Added6 {
			addrs = append(addrs, p.String())
		}
		return addrs
	}
}

// TestWebRTCJoinsAndLeaves joins and leaves a hundred WebRTC swarms of the same seeder.
func TestWebRTCJoinsAndLeaves(t *testing.T) {
	tracker := newWSTracker(t)
	only := Config{Sources: Sources{SourceWebRTC}}
	seeder, e := newEngine(t, only), newEngine(t, only)
	round := func(i int) {
		f := newFixture(t, 128<<10+i, 64<<10)
		up, err := seeder.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path, Trackers: []string{tracker.url()}})
		if err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "the seeder to announce", func() bool { return tracker.member(f.hash) })
		target := f.target()
		target.Trackers = []string{tracker.url()}
		s := join(t, e, target, JoinOptions{})
		readFull(t, openStream(t, s), 100<<10, 1000, f)
		for _, s := range []*Swarm{s, up} {
			if err := s.Leave(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 5 {
		round(i)
	}
	settle := func() (goroutines, files int) {
		eventuallyStable(runtime.NumGoroutine)
		return runtime.NumGoroutine(), openFiles()
	}
	goroutines, files := settle()
	for i := range 100 {
		round(5 + i)
	}
	if !eventually(func() bool { return runtime.NumGoroutine() <= goroutines+10 && openFiles() <= files+3 }) {
		t.Fatalf("goroutines %d -> %d, files %d -> %d", goroutines, runtime.NumGoroutine(), files, openFiles())
	}
}
