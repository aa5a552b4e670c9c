// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

// TestWebSeedIsBounded plays a film's first minute and leaves: no more may have been fetched than
// was watched, the read-ahead and a quarter.
func TestWebSeedIsBounded(t *testing.T) {
	f := newFixture(t, 48*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}, ReadAhead: 4 * mib})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	st := openStream(t, s)
	watched := int64(6 * mib)
	readFull(t, st, 0, int(watched), f)
	time.Sleep(300 * time.Millisecond) // let it run ahead as far as it will
	bound := watched + 4*mib + 1*mib + 2*256<<10
	if got := w.sent.Load(); got > bound+1*mib { // what was on the wire when a request was cancelled
		t.Fatalf("the WebSeed sent %d bytes for %d watched", got, watched)
	}
	if got := s.Stats().Completed; got > bound {
		t.Fatalf("%d bytes on disk for %d watched", got, watched)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	sent := w.sent.Load()
	time.Sleep(200 * time.Millisecond)
	if w.sent.Load() != sent {
		t.Fatal("the WebSeed goes on after the stream is closed")
	}
	t.Logf("watched %d, sent %d in %d requests", watched, sent, w.requests.Load())
}

// TestStreamsWhileArriving holds the source to 1.5 times the film's bitrate: the first frame's
// bytes are there before a tenth is on disk, and a seek to 80 % plays before the middle is fetched.
func TestStreamsWhileArriving(t *testing.T) {
	const size = 24 * mib
	for _, source := range []Source{SourceWebSeed, SourceTCP} {
		t.Run(string(source), func(t *testing.T) {
			f := newFixture(t, size, 256<<10)
			bitrate := size / 10 // the film lasts ten seconds
			limit := bitrate * 3 / 2
			target := f.target()
			if source == SourceWebSeed {
				target.WebSeeds = []string{newWebSeed(t, f, limit).url()}
			} else {
				target.Peers = []string{newSeeder(t, f, Config{Sources: Sources{source}, Limits: Limits{Upload: int64(limit)}}).addr()}
			}
			e := newEngine(t, Config{Sources: Sources{source}, ReadAhead: 8 * mib})
			s := join(t, e, target, JoinOptions{})
			st := openStream(t, s)
			readFull(t, st, 0, 1*mib, f)
			if got := s.Stats().Completed; got > size/10 {
				t.Fatalf("the first MB was readable only with %d of %d on disk", got, size)
			}
			readFull(t, st, size*8/10, 512<<10, f)
			parts := s.Bitfield(10)
			if parts[5] != 0 || parts[6] != 0 {
				t.Fatalf("the middle was fetched before the seek played: %v", parts)
			}
		})
	}
}

func TestSeveralStreams(t *testing.T) {
	f := newFixture(t, 16*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}, ReadAhead: mib})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	var wg sync.WaitGroup
	for i := range 4 {
		st := openStream(t, s)
		wg.Go(func() {
			at := int64(i) * 4 * mib
			if _, err := st.Seek(at, io.SeekStart); err != nil {
				t.Error(err)
			}
			got := make([]byte, 3*mib)
			if _, err := io.ReadFull(st, got); err != nil {
				t.Error(err)
			}
			if string(got) != string(f.data[at:at+3*mib]) {
				t.Error("bytes differ")
			}
		})
	}
	wg.Wait()
}

// TestSeekWithDownload seeks while the whole file is wanted: the playhead does not wait until the
// WebSeed's running response has come by.
func TestSeekWithDownload(t *testing.T) {
	f := newFixture(t, 32*mib, 256<<10)
	w := newWebSeed(t, f, 4*mib)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}, ReadAhead: 2 * mib})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "the download to be under way", func() bool { return s.Stats().Completed > mib })
	st := openStream(t, s)
	readFull(t, st, 28*mib, mib, f)
	if parts := s.Bitfield(4); parts[2] > 0 {
		t.Fatalf("fetched up to the playhead first: %v", parts)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	w.limit.SetLimit(1 << 30)
	waitComplete(t, s)
	if got := s.Stats(); got.Downloaded.Sum() != got.Bytes {
		t.Fatalf("%+v", got)
	}
	checkFile(t, s, f)
}

func TestReadIsCancelled(t *testing.T) {
	f := newFixture(t, 2*mib, 256<<10)
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	s := join(t, e, f.target(), JoinOptions{}) // nobody has it
	for name, end := range map[string]func(*Stream){
		"Cancel": func(st *Stream) { st.Cancel() },
		"Close":  func(st *Stream) { _ = st.Close() },
	} {
		st := openStream(t, s)
		done := make(chan error, 1)
		go func() {
			_, err := st.Read(make([]byte, 10))
			done <- err
		}()
		time.Sleep(20 * time.Millisecond)
		end(st)
		select {
		case err := <-done:
			if !errors.Is(err, ErrCancelled) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(testPatience):
			t.Fatalf("%s does not unblock Read", name)
		}
	}
	st := openStream(t, s)
	done := make(chan error, 1)
	go func() {
		_, err := st.Read(make([]byte, 10))
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := s.Leave(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrLeft) {
		t.Errorf("Leave: %v", err)
	}
}

func TestStreamEnds(t *testing.T) {
	f := newFixture(t, mib+17, 64<<10)
	w := newWebSeed(t, f, 0)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	st := openStream(t, join(t, e, target, JoinOptions{}))
	if st.Size() != mib+17 {
		t.Fatal(st.Size())
	}
	if at, err := st.Seek(-10, io.SeekEnd); err != nil || at != mib+7 {
		t.Fatal(at, err)
	}
	got, err := io.ReadAll(st)
	if err != nil || string(got) != string(f.data[mib+7:]) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if _, err := st.Seek(-1, io.SeekStart); err == nil {
		t.Fatal("sought to before the start")
	}
	if at, err := st.Seek(5*mib, io.SeekStart); err != nil || at != 5*mib {
		t.Fatal(at, err)
	}
	if n, err := st.Read(make([]byte, 4)); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatal(n, err)
	}
}

// TestPauseHoldsReads pauses in the middle of a stream: reads wait, and go on after Resume.
func TestPauseHoldsReads(t *testing.T) {
	f := newFixture(t, 8*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}, ReadAhead: mib})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	st := openStream(t, s)
	readFull(t, st, 0, 1000, f)
	s.Pause()
	if got := s.Stats(); !got.Paused {
		t.Fatal("not paused")
	}
	time.Sleep(50 * time.Millisecond)
	sent := w.sent.Load()
	done := make(chan error, 1)
	go func() {
		if _, err := st.Seek(5*mib, io.SeekStart); err != nil {
			done <- err
			return
		}
		_, err := io.ReadFull(st, make([]byte, 1000))
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("Read did not wait: %v", err)
	case <-time.After(150 * time.Millisecond):
	}
	if w.sent.Load() != sent {
		t.Fatal("fetched while paused")
	}
	s.Resume()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, f)
}
