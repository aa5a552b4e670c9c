// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"os"
	"testing"
	"time"
)

const mib = 1 << 20

// TestOneSourceAlone moves a file over each source with all others off, counts every byte where
// it belongs, and checks that the same pair with that source off does not move one.
func TestOneSourceAlone(t *testing.T) {
	for _, source := range []Source{SourceTCP, SourceUTP} {
		t.Run(string(source), func(t *testing.T) {
			if source == SourceUTP && !haveUTP {
				t.Log("uTP is off in a build without cgo; New must say so")
				if _, err := New(Config{Dir: t.TempDir(), PiecesDB: t.TempDir() + "/p", Sources: Sources{SourceUTP}}); err == nil {
					t.Fatal("no error")
				}
				return
			}
			f := newFixture(t, 24*mib+12345, 256<<10)
			seeder := newSeeder(t, f, Config{Sources: Sources{source}})
			e := newEngine(t, Config{Sources: Sources{source}})
			target := f.target()
			target.Peers = []string{seeder.addr()}
			s := join(t, e, target, JoinOptions{})
			s.Download()
			waitComplete(t, s)
			checkFile(t, s, f)
			var want Bytes
			want.add(source, int64(len(f.data)))
			if got := s.Stats(); got.Downloaded != want {
				t.Fatalf("downloaded %+v, want %+v", got.Downloaded, want)
			}
			up, _ := seeder.Swarm(f.hash)
			waitUntil(t, "the upload to be counted", func() bool { return up.Stats().Uploaded == want })
		})
	}
}

func TestWebSeedAlone(t *testing.T) {
	f := newFixture(t, 20*mib+77, 512<<10)
	w := newWebSeed(t, f, 0)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}})
	if e.Port() != 0 {
		t.Fatalf("port %d is open for a WebSeed-only engine", e.Port())
	}
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, f)
	if got := s.Stats().Downloaded; got != (Bytes{WebSeed: int64(len(f.data))}) {
		t.Fatalf("downloaded %+v", got)
	}
}

// TestSourceOffGetsNothing offers a swarm each source that it does not allow.
func TestSourceOffGetsNothing(t *testing.T) {
	f := newFixture(t, 4*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP, SourceUTP}})
	all := Sources{SourceTCP, SourceUTP, SourceWebSeed}
	for _, only := range all {
		t.Run("only "+string(only), func(t *testing.T) {
			if only == SourceUTP && !haveUTP {
				return
			}
			e := newEngine(t, Config{Sources: all})
			target := f.target()
			target.WebSeeds = []string{w.url()}
			target.Peers = []string{seeder.addr()}
			s := join(t, e, target, JoinOptions{Sources: Sources{only}})
			s.Download()
			// The other side dials too, over every network it has.
			up, _ := seeder.Swarm(f.hash)
			if err := up.merge(Target{Infohash: f.hash, Peers: []string{e.addr()}}); err != nil {
				t.Fatal(err)
			}
			redial := time.NewTicker(300 * time.Millisecond)
			defer redial.Stop()
			waitUntil(t, "completion", func() bool {
				select {
				case <-redial.C:
					_ = s.merge(Target{Peers: []string{seeder.addr()}})
				default:
				}
				return s.Stats().Complete
			})
			var want Bytes
			want.add(only, int64(len(f.data)))
			if got := s.Stats().Downloaded; got != want {
				t.Fatalf("downloaded %+v, want %+v", got, want)
			}
			if only != SourceWebSeed && w.requests.Load() != 0 && only == SourceTCP {
				t.Fatalf("%d WebSeed requests", w.requests.Load())
			}
		})
	}
}

// TestRefusedPeerSendsNothing has a peer that the swarm does not allow connect and ask for data.
func TestRefusedPeerSendsNothing(t *testing.T) {
	f := newFixture(t, 2*mib, 256<<10)
	// The seeder holds the swarm for uTP and WebSeed only; its TCP port is open all the same.
	seeder := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
	up, err := seeder.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path, Sources: Sources{SourceWebSeed}})
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	target.Peers = []string{seeder.addr()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	for range 10 {
		time.Sleep(50 * time.Millisecond)
		_ = s.merge(Target{Peers: []string{seeder.addr()}})
	}
	if got := s.Stats(); got.Downloaded.Sum() != 0 || got.Completed != 0 {
		t.Fatalf("got %+v", got)
	}
	if got := up.Stats(); got.Uploaded.Sum() != 0 || got.Peers.Sum() != 0 {
		t.Fatalf("sent %+v", got)
	}
}

func TestHeldSwarmFetchesNothing(t *testing.T) {
	f := newFixture(t, 4*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	target.Peers = []string{seeder.addr()}
	s := join(t, e, target, JoinOptions{})
	st := openStream(t, s) // open, but nobody reads
	time.Sleep(300 * time.Millisecond)
	if got := s.Stats(); got.Completed != 0 || w.requests.Load() != 0 {
		t.Fatalf("fetched without being asked: %+v, %d WebSeed requests", got, w.requests.Load())
	}
	readFull(t, st, 0, 1000, f)
}

func TestSeedNeitherCopiesNorHashes(t *testing.T) {
	f := newFixture(t, 8*mib, 256<<10)
	dir, db := t.TempDir(), t.TempDir()+"/pieces.db"
	for range 2 {
		e := newEngine(t, Config{Dir: dir, PiecesDB: db, Sources: Sources{SourceTCP}})
		s, err := e.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path})
		if err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); !st.Complete {
			t.Fatalf("%+v", st)
		}
		readFull(t, openStream(t, s), 5*mib, 4096, f)
		if n := s.hashedBytes(); n != 0 {
			t.Fatalf("%d bytes were hashed", n)
		}
		if err := s.Leave(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Fatalf("seeding left %v in the folder", entries)
	}
	checkStill, err := os.ReadFile(f.path)
	if err != nil || len(checkStill) != len(f.data) {
		t.Fatal("the seeded file was touched")
	}
}

// TestChangedSeedIsHashed changes a seeded file behind the engine's back, keeping its size.
func TestChangedSeedIsHashed(t *testing.T) {
	f := newFixture(t, 4*mib, 256<<10)
	db := t.TempDir() + "/pieces.db"
	e := newEngine(t, Config{PiecesDB: db, Sources: Sources{SourceTCP}})
	if _, err := e.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	changed := append([]byte{f.data[0] ^ 1}, f.data[1:]...)
	if err := os.WriteFile(f.path, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(f.path, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	e = newEngine(t, Config{PiecesDB: db, Sources: Sources{SourceTCP}})
	s, err := e.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path})
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the problem to be told", func() bool { return s.Stats().Problem != "" })
	if got := s.Stats(); got.Complete || got.Completed != 4*mib-256<<10 {
		t.Fatalf("%+v", got)
	}
}
