// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// quick makes a test wait less.
func quick() timings {
	return timings{look: 20 * time.Millisecond, settle: 100 * time.Millisecond}
}

// overwrite writes other bytes over a file, in its place, without making it shorter for an instant.
func overwrite(tb testing.TB, path string, data []byte) {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	for at := 0; at < len(data); at += blockSize {
		if _, err := f.WriteAt(data[at:min(len(data), at+blockSize)], int64(at)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

// TestFileEditedWhileItIsSeeded overwrites a file while a peer reads it as fast as it can: not one wrong
// byte goes out. When the old bytes are back the file is served again.
func TestFileEditedWhileItIsSeeded(t *testing.T) {
	f := newFixture(t, 4*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, times: quick()})
	s, _ := seeder.Swarm(f.hash)
	other := bytes.Repeat([]byte{0xEE}, len(f.data))
	for round := range 3 {
		w := dialWire(t, seeder, f, fmt.Sprint("reader", round))
		if err := w.send(msgInterested); err != nil {
			t.Fatal(err)
		}
		if _, err := w.await(msgUnchoke); err != nil {
			t.Fatal(err)
		}
		edited, refused := make(chan struct{}), false
		blocks := len(f.data) / blockSize
		for i := 0; !refused; i++ {
			if i == blocks/4 {
				go func() {
					defer close(edited)
					overwrite(t, f.path, other)
				}()
			}
			at := i % blocks * blockSize
			if err := w.block(at/(64<<10), at%(64<<10)); err != nil {
				refused = true // rejected, or hung up
			}
			if i > 1000*blocks {
				t.Fatal("the edit is never noticed")
			}
		}
		<-edited
		waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "changed since it was published") })
		if got := s.Stats(); got.Completed != 0 {
			t.Fatalf("round %d: %+v", round, got)
		}
		again := dialWire(t, seeder, f, fmt.Sprint("second", round))
		if n, err := again.have(); n != 0 || err != nil {
			t.Fatalf("claims %d pieces that it does not have: %v", n, err)
		}
		overwrite(t, f.path, f.data)
		waitUntil(t, "the old file to be taken", func() bool { return s.Stats().Complete && s.Stats().Problem == "" })
		_, _ = w.Close(), again.Close()
	}
}

// TestFileTakenFromUnderTheSeeder does to a seeded file what people do to files, while a peer
// downloads it, and puts it back: the download completes, with no piece that failed its hash.
func TestFileTakenFromUnderTheSeeder(t *testing.T) {
	for name, harm := range map[string]struct {
		do      func(path string) error
		problem string
	}{
		"deleted":   {os.Remove, "has gone"},
		"truncated": {func(p string) error { return os.Truncate(p, mib) }, "changed since"},
		"appended": {func(p string) error {
			f, err := os.OpenFile(p, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		}, ""},
		"replaced": {func(p string) error {
			if err := os.WriteFile(p+".new", bytes.Repeat([]byte{1}, 6*mib), 0o644); err != nil {
				return err
			}
			return os.Rename(p+".new", p)
		}, "changed since"},
		"made a folder": {func(p string) error {
			return errors.Join(os.Remove(p), os.Mkdir(p, 0o755))
		}, "changed since"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 6*mib, 64<<10)
			seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 4 * mib}, times: quick()})
			up, _ := seeder.Swarm(f.hash)
			e := newEngine(t, Config{Sources: Sources{SourceTCP}})
			target := f.target()
			target.Peers = []string{seeder.addr()}
			s := join(t, e, target, JoinOptions{})
			s.Download()
			waitUntil(t, "the first megabyte", func() bool { return s.Stats().Completed > mib })
			if err := harm.do(f.path); err != nil {
				t.Fatal(err)
			}
			if harm.problem != "" { // else what is right of it goes out
				waitUntil(t, "the problem", func() bool { return strings.Contains(up.Stats().Problem, harm.problem) })
				if err := errors.Join(os.RemoveAll(f.path), os.WriteFile(f.path, f.data, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			waitUntil(t, "the seeder to heal", func() bool { return up.Stats().Complete && up.Stats().Problem == "" })
			redial := time.NewTicker(100 * time.Millisecond)
			defer redial.Stop()
			waitUntil(t, "completion", func() bool {
				select {
				case <-redial.C: // a tracker would tell it again
					_ = s.merge(Target{Peers: []string{seeder.addr()}})
				default:
				}
				return s.Stats().Complete
			})
			checkFile(t, s, f)
			stats := s.loaded().Stats()
			if n := stats.PiecesDirtiedBad.Int64(); n != 0 {
				t.Fatalf("%d pieces failed their hash", n)
			}
		})
	}
}

// TestFetchedFileDeleted deletes a file that was fetched: nothing is fetched again before somebody says
// so, and it is served again when it is put back.
func TestFetchedFileDeleted(t *testing.T) {
	d := download(t)
	d.config.times = quick()
	e, s := d.open(t)
	s.Download()
	waitComplete(t, s)
	aside := filepath.Join(t.TempDir(), "aside")
	data, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(aside, data, 0o644), os.Remove(d.path)); err != nil {
		t.Fatal(err)
	}
	e.lookNow()
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "has gone") })
	if got := s.Stats(); got.Completed != 0 {
		t.Fatalf("%+v", got)
	}
	sent := d.w.sent.Load()
	if err := os.Rename(aside, d.path); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the file to be taken", func() bool { return s.Stats().Complete && s.Stats().Problem == "" })
	if d.w.sent.Load() != sent {
		t.Fatal("data was fetched again")
	}
	if err := os.Remove(d.path); err != nil {
		t.Fatal(err)
	}
	e.lookNow()
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "has gone") })
	s.Resume()
	waitComplete(t, s)
	checkFile(t, s, d.fixture)
	if p := s.Stats().Problem; p != "" {
		t.Fatalf("problem: %s", p)
	}
}

// lookNow looks at every file, in use or not.
func (e *Engine) lookNow() {
	for _, s := range e.Swarms() {
		s.store.look(true)
	}
}

// TestChangedSeedStaysChanged restarts after a file that is seeded in place was found changed: it is not
// taken for good because its size is right.
func TestChangedSeedStaysChanged(t *testing.T) {
	f := newFixture(t, mib, 64<<10)
	config := Config{Dir: t.TempDir(), PiecesDB: t.TempDir() + "/pieces.db", Sources: Sources{SourceTCP}, times: quick()}
	start := func() (*Engine, *Swarm) {
		e := newEngine(t, config)
		s, err := e.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path})
		if err != nil {
			t.Fatal(err)
		}
		return e, s
	}
	e, s := start()
	overwrite(t, f.path, bytes.Repeat([]byte{0xEE}, len(f.data)))
	e.lookNow()
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "changed since it was published") })
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, s = start()
	waitUntil(t, "the problem", func() bool { return s.Stats().Problem != "" })
	if got := s.Stats(); got.Completed != 0 {
		t.Fatalf("%+v", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, f.path, f.data)
	_, s = start()
	waitComplete(t, s)
}

// TestReadAcrossACheck has a read begin before a file is changed and end after it was hashed again: the bytes
// are not taken for what was verified.
func TestReadAcrossACheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &storeFile{cache: newFileCache(1), path: path, length: 3}
	f.guard = guard{seen: recordOf(fi), known: true, changed: func() {}}
	defer f.close()
	round := f.guard.round
	b := make([]byte, 3)
	_, h, err := f.read(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := f.unchanged(h, round); !same || err != nil {
		t.Fatalf("%v, %v", same, err)
	}
	overwrite(t, path, []byte("new"))
	if there, err := f.settle(t.Context(), time.Millisecond, func() bool { return false }); !there || err != nil {
		t.Fatalf("%v, %v", there, err)
	}
	h, err = os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if same, err := f.unchanged(h, round); same || !errors.Is(err, errChanged) {
		t.Fatalf("%v, %v", same, err)
	}
	if n, err := f.readAt(b, 0); n != 3 || err != nil || string(b) != "new" {
		t.Fatalf("%q, %v", b, err)
	}
}
