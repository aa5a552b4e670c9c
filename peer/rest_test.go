// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func restless() timings {
	t := quick()
	t.rest = 50 * time.Millisecond
	return t
}

func waitResting(t *testing.T, s *Swarm) {
	t.Helper()
	waitUntil(t, "the swarm to rest", func() bool { return s.loaded() == nil && len(s.engine.client.Torrents()) == 0 })
}

// TestRest has every kind of visitor come to a seed that rests: each gets every byte, and the seed rests
// again.
func TestRest(t *testing.T) {
	f := newFixture(t, 4*mib+17, 32<<10)
	tracker := newWSTracker(t)
	seeder := newEngine(t, Config{times: restless()})
	s, err := seeder.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path, Trackers: []string{tracker.url()}})
	if err != nil {
		t.Fatal(err)
	}
	waitResting(t, s)
	if st := s.Stats(); !st.Complete || st.Bytes != int64(len(f.data)) || st.Name != "film.mp4" {
		t.Fatalf("while it rests: %+v", st)
	}
	var want Bytes
	for _, source := range []Source{SourceTCP, SourceUTP, SourceWebRTC} {
		if source == SourceUTP && !haveUTP {
			continue
		}
		e := newEngine(t, Config{Sources: Sources{source}})
		target := Target{Infohash: f.hash, Peers: []string{seeder.addr()}} // the metadata comes from the seed too
		if source == SourceWebRTC {
			target = Target{Infohash: f.hash, Trackers: []string{tracker.url()}}
		}
		v := join(t, e, target, JoinOptions{})
		v.Download()
		waitComplete(t, v)
		checkFile(t, v, f)
		want.add(source, int64(len(f.data)))
		waitUntil(t, "the upload over "+string(source)+" to be counted", func() bool { return s.Stats().Uploaded == want })
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		waitResting(t, s)
	}

	w := dialWire(t, seeder, f, "without encryption")
	if n, err := w.have(); err != nil || n == 0 {
		t.Fatalf("%d pieces offered: %v", n, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	waitResting(t, s)

	stream, err := s.Stream(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(stream); err != nil || !bytes.Equal(got, f.data) {
		t.Fatalf("a stream read %d bytes: %v", len(got), err)
	}
	if s.loaded() == nil {
		t.Fatal("it rests while a stream is open")
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	waitResting(t, s)

	if err := s.Verify(t.Context()); err != nil || !s.Stats().Complete {
		t.Fatalf("verifying: %v, %+v", err, s.Stats())
	}
	waitResting(t, s)
}

// TestRestDials has a seed that rests, and that no peer can reach, hear of one from its tracker.
func TestRestDials(t *testing.T) {
	f := newFixture(t, mib, 32<<10)
	h := newHTTPTracker(t)
	viewer := newEngine(t, Config{Sources: Sources{SourceTCP}})
	v := join(t, viewer, Target{Infohash: f.hash, Trackers: []string{h.URL + "/announce"}}, JoinOptions{})
	v.Download()
	waitUntil(t, "the viewer's announce", func() bool { return len(h.events(viewer.Port())) > 0 })
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, times: restless()})
	s, _ := seeder.Swarm(f.hash)
	waitResting(t, s)
	if err := s.merge(Target{Trackers: []string{h.URL + "/announce"}}); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, v)
	checkFile(t, v, f)
}

// TestFileChangedAtRest changes the file of a seed that rests: it is noticed, and nothing of it goes out.
func TestFileChangedAtRest(t *testing.T) {
	f := newFixture(t, mib, 32<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, times: restless()})
	s, _ := seeder.Swarm(f.hash)
	waitResting(t, s)
	overwrite(t, f.path, bytes.Repeat([]byte{0xEE}, len(f.data)))
	w := dialWire(t, seeder, f, "too early")
	for i := range len(f.data) / blockSize {
		at := i * blockSize
		if w.block(at/(32<<10), at%(32<<10)) != nil { // which compares the bytes
			break
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "changed since it was published") })
	if got := s.Stats(); got.Completed != 0 {
		t.Fatalf("%+v", got)
	}
	overwrite(t, f.path, f.data)
	waitUntil(t, "the old bytes to be found", func() bool { return s.Stats().Complete && s.Stats().Problem == "" })
	waitResting(t, s)
}

// TestPauseAtRest pauses and resumes a seed that rests.
func TestPauseAtRest(t *testing.T) {
	f := newFixture(t, mib, 32<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, times: restless()})
	s, _ := seeder.Swarm(f.hash)
	waitResting(t, s)
	s.Pause()
	if _, err := tryWire(t, seeder, f, "while it is paused"); err == nil && s.loaded() != nil {
		t.Fatal("a paused swarm woke up")
	}
	s.Resume()
	w := dialWire(t, seeder, f, "resumed")
	if n, err := w.have(); err != nil || n == 0 {
		t.Fatalf("%d pieces offered: %v", n, err)
	}
}

// TestRestKeepsNothing wakes a seed many times: what it takes while it rests does not grow.
func TestRestKeepsNothing(t *testing.T) {
	f := newFixture(t, 32*mib, 16<<10) // 2,048 pieces
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, times: timings{rest: time.Nanosecond}})
	s, _ := seeder.Swarm(f.hash)
	cycle := func() {
		_, done, err := s.use()
		if err != nil {
			t.Fatal(err)
		}
		done()
		waitUntil(t, "the swarm to rest", s.doze)
	}
	waitUntil(t, "the files to be settled", func() bool {
		select {
		case <-s.settled:
			return true
		default:
			return false
		}
	})
	for range 20 {
		cycle()
	}
	before := holdingNow()
	for range 300 {
		cycle()
	}
	after := holdingNow()
	t.Logf("%+v, then %+v", before, after)
	if after.Heap > before.Heap+256<<10 || after.Goroutines > before.Goroutines+3 || after.Files > before.Files+1 {
		t.Fatalf("%+v became %+v", before, after)
	}
}

// TestFetchedAgainAfterRest has the file of a download that rests deleted, and fetches it again.
func TestFetchedAgainAfterRest(t *testing.T) {
	f := newFixture(t, mib, 32<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP}, times: restless()})
	target := f.target()
	target.Peers = []string{seeder.addr()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	waitResting(t, s)
	if err := os.Remove(s.FilePath(0)); err != nil {
		t.Fatal(err)
	}
	e.lookNow()
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "has gone") })
	s.Resume()
	waitComplete(t, s)
	checkFile(t, s, f)
	waitResting(t, s)
}
