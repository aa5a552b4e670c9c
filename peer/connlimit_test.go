// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shake connects as a peer (BEP 3) that says nothing more and reads until it is cut off. closed is
// closed then.
func shake(tb testing.TB, addr string, infohash [20]byte) (closed <-chan struct{}) {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	hello := append([]byte("\x13BitTorrent protocol"), make([]byte, 8)...)
	hello = append(hello, infohash[:]...)
	id := make([]byte, 20)
	if _, err := rand.Read(id); err != nil {
		tb.Fatal(err)
	}
	if _, err := conn.Write(append(hello, id...)); err != nil {
		tb.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(gone)
	}()
	return gone
}

func countOpen(conns []<-chan struct{}) (n int) {
	for _, c := range conns {
		select {
		case <-c:
		default:
			n++
		}
	}
	return n
}

// seedAll seeds many small files in place on one engine.
func seedAll(tb testing.TB, e *Engine, n int) (swarms []*Swarm) {
	tb.Helper()
	for i := range n {
		f := newFixture(tb, 32<<10+i, 16<<10)
		s, err := e.Seed(tb.Context(), SeedFile{MetaInfo: f.mi, Path: f.path})
		if err != nil {
			tb.Fatal(err)
		}
		swarms = append(swarms, s)
	}
	return swarms
}

// TestConnectionsOfAllSwarms floods one swarm, then others: there are never more connections than
// allowed, and each swarm gets its share of them.
func TestConnectionsOfAllSwarms(t *testing.T) {
	e := newEngine(t, Config{Sources: Sources{SourceTCP}, Limits: Limits{Connections: 12}})
	swarms := seedAll(t, e, 3)
	var conns [3][]<-chan struct{}
	flood := func(i, n int) {
		for range n {
			conns[i] = append(conns[i], shake(t, e.addr(), swarms[i].infohash))
		}
	}
	open := func() int { return countOpen(conns[0]) + countOpen(conns[1]) + countOpen(conns[2]) }

	flood(0, 40)
	waitUntil(t, "the surplus to be cut off", func() bool { return open() == 12 && e.connections() == 12 })
	flood(1, 20)
	flood(2, 20)
	waitUntil(t, "each to have its share", func() bool {
		if n := e.connections(); n > 12 {
			t.Fatalf("%d connections", n)
		}
		return countOpen(conns[0]) == 4 && countOpen(conns[1]) == 4 && countOpen(conns[2]) == 4
	})
	for i, s := range swarms {
		if n := s.Stats().Peers.TCP; n != 4 {
			t.Errorf("swarm %d says that it has %d connections", i, n)
		}
	}

	// One that is being watched goes before the others.
	st := openStream(t, swarms[2])
	flood(2, 20)
	waitUntil(t, "the watched swarm to have all", func() bool { return countOpen(conns[2]) == 12 && open() == 12 })
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}

	e.SetLimits(Limits{Connections: 5})
	waitUntil(t, "connections to be dropped", func() bool { return open() == 5 && e.connections() == 5 })
	e.SetLimits(Limits{Connections: 100, ConnectionsPerSwarm: 6})
	flood(0, 20)
	waitUntil(t, "one swarm's own bound", func() bool { return countOpen(conns[0]) == 6 })
}

// TestHalfOpen gives the engine many peers that never answer: no more are dialed at one time than
// allowed.
func TestHalfOpen(t *testing.T) {
	if !haveUTP {
		t.Log("built without cgo: nothing hangs as µTP does to a port that never answers")
		return
	}
	const most = 3
	f := newFixture(t, mib, 256<<10)
	target := f.target()
	var heard atomic.Int64
	var reading sync.WaitGroup
	t.Cleanup(reading.Wait)
	for range 20 {
		silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = silent.Close() })
		target.Peers = append(target.Peers, silent.LocalAddr().String())
		reading.Go(func() {
			b := make([]byte, 1500)
			if _, _, err := silent.ReadFrom(b); err == nil {
				heard.Add(1)
			}
		})
	}
	e := newEngine(t, Config{Sources: Sources{SourceUTP}, Limits: Limits{HalfOpen: most}})
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "more to be dialed than at one time", func() bool {
		before := heard.Load()
		e.dials.mu.Lock()
		taken := e.dials.taken
		e.dials.mu.Unlock()
		if taken > most {
			t.Fatalf("%d are dialed at one time", taken)
		}
		return before > most
	})
}

func TestGate(t *testing.T) {
	g := newGate(2)
	done := make(chan struct{})
	for range 2 {
		if !g.enter(done) {
			t.Fatal("there was room")
		}
	}
	in := make(chan bool)
	go func() { in <- g.enter(done) }()
	select {
	case <-in:
		t.Fatal("there was no room")
	default:
	}
	g.resize(3)
	if !<-in {
		t.Fatal("no place after the gate grew")
	}
	g.resize(1)
	go func() { in <- g.enter(done) }()
	g.leave()
	g.leave()
	g.leave()
	if !<-in {
		t.Fatal("no place after the others left")
	}
	go func() { in <- g.enter(done) }()
	close(done)
	if <-in {
		t.Fatal("entered a full gate")
	}
}

// TestOpenFiles reads and writes more files at the same time than may be open.
func TestOpenFiles(t *testing.T) {
	const most, n = 4, 40
	seeder := newEngine(t, Config{Sources: Sources{SourceTCP}, Limits: Limits{OpenFiles: most}})
	leecher := newEngine(t, Config{Sources: Sources{SourceTCP}, Limits: Limits{OpenFiles: most}})
	var got []*Swarm
	var wait sync.WaitGroup
	for _, s := range seedAll(t, seeder, n) {
		target := s.Target()
		target.Peers = []string{seeder.addr()}
		l := join(t, leecher, target, JoinOptions{})
		l.Download()
		got = append(got, l)
		wait.Go(func() {
			b := make([]byte, 16<<10)
			for i := range 200 {
				if _, err := s.store.files[0].readAt(b, int64(i%16<<10)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	for _, s := range got {
		waitComplete(t, s)
	}
	if a, b := seeder.files.len(), leecher.files.len(); a > most || b > most || a == 0 {
		t.Fatalf("%d and %d files are open", a, b)
	}
	if runtime.GOOS == "linux" {
		waitUntil(t, "the descriptors to be what the caches say", func() bool {
			return openUnder(t, filepath.Dir(leecher.config.Dir)) <= 2*most
		})
	}
	seeder.SetLimits(Limits{OpenFiles: 1})
	if n := seeder.files.len(); n != 1 {
		t.Fatalf("%d files are open", n)
	}
	seeder.files.closeIdle(time.Now())
	if n := seeder.files.len(); n != 0 {
		t.Fatalf("%d idle files are open", n)
	}
}

// openUnder counts the descriptors of video files under a folder.
func openUnder(tb testing.TB, dir string) (n int) {
	tb.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatal(err)
	}
	for _, entry := range entries {
		if path, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.HasPrefix(path, dir) && strings.HasSuffix(path, ".mp4") {
			n++
		}
	}
	return n
}
