// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestDiskFull fills the disk in mid-download: fetching stops with a Problem, nothing is lost, and
// Resume goes on once there is room.
func TestDiskFull(t *testing.T) {
	f := newFixture(t, 12*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	for _, source := range []Source{SourceWebSeed, SourceTCP} {
		t.Run(string(source), func(t *testing.T) {
			var room atomic.Int64
			room.Store(5 * mib)
			config := Config{Dir: t.TempDir(), PiecesDB: t.TempDir() + "/pieces.db", Sources: Sources{source}}
			config.writable = func(string) error {
				if room.Add(-16<<10) < 0 {
					return &os.PathError{Op: "write", Path: "film.mp4", Err: syscall.ENOSPC}
				}
				return nil
			}
			e := newEngine(t, config)
			target := f.target()
			target.WebSeeds = []string{w.url()}
			target.Peers = []string{seeder.addr()}
			s := join(t, e, target, JoinOptions{})
			s.Download()
			waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "full") })
			kept := s.Stats().Completed
			if kept > 5*mib {
				t.Fatalf("%d bytes on a disk of 5 MiB", kept)
			}
			room.Store(1 << 40)
			s.Resume()
			if p := s.Stats().Problem; p != "" {
				t.Fatalf("problem after Resume: %s", p)
			}
			waitComplete(t, s)
			checkFile(t, s, f)
			if got := s.Stats().Downloaded.Sum(); got != int64(len(f.data)) {
				t.Fatalf("counted %d of %d bytes", got, len(f.data))
			}
		})
	}
}

func TestFolderProblems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dir: filepath.Join(file, "sub"), PiecesDB: t.TempDir() + "/p", Sources: Sources{SourceWebSeed}})
	if err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Fatalf("%v", err)
	}
	if os.Geteuid() != 0 && runtime.GOOS != "windows" {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		_, err := New(Config{Dir: dir, PiecesDB: t.TempDir() + "/p", Sources: Sources{SourceWebSeed}})
		if err == nil || !strings.Contains(err.Error(), "cannot be written to") {
			t.Fatalf("%v", err)
		}
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = New(Config{
		Dir: t.TempDir(), PiecesDB: t.TempDir() + "/p", ListenHost: "127.0.0.1", Port: port, Sources: Sources{SourceTCP},
	})
	if err == nil || !strings.Contains(err.Error(), "port "+strconv.Itoa(port)+" is taken") {
		t.Fatalf("%v", err)
	}
}

// TestLyingWebSeed has a WebSeed send wrong bytes: its pieces fail, and come from elsewhere.
func TestLyingWebSeed(t *testing.T) {
	f := newFixture(t, 6*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	w.corrupt.Store(true)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "the lie", func() bool { return s.Stats().Wasted >= 256<<10 })
	if err := s.merge(Target{Peers: []string{seeder.addr()}}); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
	got := s.Stats()
	if got.Downloaded != (Bytes{TCP: int64(len(f.data))}) {
		t.Fatalf("%+v", got.Downloaded)
	}
}

// TestLyingPeer has one peer send wrong pieces and one honest ones.
func TestLyingPeer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("needs 127.0.0.2; only Linux has it without being asked")
		return
	}
	f := newFixture(t, 6*mib, 256<<10)
	lie := &fixture{path: filepath.Join(t.TempDir(), "film.mp4"), mi: f.mi, hash: f.hash}
	if err := os.WriteFile(lie.path, make([]byte, len(f.data)), 0o644); err != nil {
		t.Fatal(err)
	}
	liar := newSeeder(t, lie, Config{ListenHost: "127.0.0.2", Sources: Sources{SourceTCP}})
	honest := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	target.Peers = []string{net.JoinHostPort("127.0.0.2", strconv.Itoa(liar.Port()))}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "the lie", func() bool { return s.Stats().Wasted > 0 })
	if err := s.merge(Target{Peers: []string{honest.addr()}}); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
	waitUntil(t, "the liar to be gone", func() bool {
		up, _ := liar.Swarm(f.hash)
		return up.Stats().Peers.Sum() == 0
	})
	if got := s.Stats(); got.Downloaded.Sum() != int64(len(f.data)) {
		t.Fatalf("%+v", got)
	}
}

// TestBrokenWebSeed answers 500: the swarm says nothing wrong, and comes back with Resume.
func TestBrokenWebSeed(t *testing.T) {
	f := newFixture(t, 2*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	w.broken.Store(true)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "a request", func() bool { return w.requests.Load() > 0 })
	w.broken.Store(false)
	s.Pause()
	s.Resume()
	waitComplete(t, s)
}

// TestJoinsAndLeaves leaves nothing behind; TestMain looks for goroutines.
func TestJoinsAndLeaves(t *testing.T) {
	f := newFixture(t, mib, 64<<10)
	w := newWebSeed(t, f, 0)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
	round := func() {
		target := f.target()
		target.WebSeeds = []string{w.url()}
		target.Peers = []string{seeder.addr()}
		s := join(t, e, target, JoinOptions{})
		st := openStream(t, s)
		readFull(t, st, 512<<10, 1000, f)
		if err := s.Leave(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		round()
	}
	settle := func() (goroutines, files int) {
		eventuallyStable(func() int { return runtime.NumGoroutine() })
		return runtime.NumGoroutine(), openFiles()
	}
	goroutines, files := settle()
	for range 100 {
		round()
	}
	if !eventually(func() bool { return runtime.NumGoroutine() <= goroutines+5 && openFiles() <= files+3 }) {
		t.Fatalf("goroutines %d -> %d, files %d -> %d", goroutines, runtime.NumGoroutine(), files, openFiles())
	}
	if n := len(e.Swarms()); n != 0 {
		t.Fatalf("%d swarms left", n)
	}
	e.conns.mu.Lock()
	defer e.conns.mu.Unlock()
	if n := len(e.conns.open); n != 0 {
		t.Fatalf("%d connections left", n)
	}
}

// eventuallyStable waits until a count has stopped moving.
func eventuallyStable(count func() int) {
	last, same := -1, 0
	eventually(func() bool {
		if n := count(); n == last {
			same++
		} else {
			last, same = n, 0
		}
		return same > 20
	})
}

// openFiles counts this process's descriptors, where the platform tells.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
