// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"time"
)

// mostSince is more than a limit of so many bytes a second lets through since a time, with what is
// allowed at once and what is on its way to each of a few connections.
func mostSince(begin time.Time, limit int64) int64 {
	const atOnce = 2 << 20
	return int64(time.Since(begin).Seconds()*float64(limit)) + atOnce
}

// haveSources are the sources that this build has.
func haveSources() Sources {
	sources := AllSources()
	if !haveUTP {
		sources = slices.DeleteFunc(sources, func(s Source) bool { return s == SourceUTP })
	}
	return sources
}

// limitedPair is a seeder and who fetches from it by one source alone.
func limitedPair(t *testing.T, source Source, f *fixture, up, down Limits) (seeder, leecher *Swarm) {
	t.Helper()
	target := f.target()
	sources := Sources{source}
	switch source {
	case SourceWebSeed:
		target.WebSeeds = []string{newWebSeed(t, f, 0).url()}
	case SourceWebRTC:
		tracker := newWSTracker(t)
		target.Trackers = []string{tracker.url()}
		seeder, _ = webRTCSeeder(t, f, tracker, Config{Sources: sources, Limits: up}).Swarm(f.hash)
	case SourceTCP, SourceUTP:
		e := newSeeder(t, f, Config{Sources: sources, Limits: up})
		seeder, _ = e.Swarm(f.hash)
		target.Peers = []string{e.addr()}
	}
	leecher = join(t, newEngine(t, Config{Sources: sources, Limits: down}), target, JoinOptions{})
	leecher.Download()
	return seeder, leecher
}

// TestDownloadLimit checks for each source that no more comes than the limit allows, and that
// lifting the limit takes effect at once.
func TestDownloadLimit(t *testing.T) {
	for _, source := range haveSources() {
		t.Run(string(source), func(t *testing.T) {
			t.Parallel()
			const limit = 1 << 20
			f := newFixture(t, 24*mib, 256<<10)
			begin := time.Now()
			_, s := limitedPair(t, source, f, Limits{}, Limits{Download: limit})
			waitUntil(t, "3 MiB", func() bool {
				got := s.tally.snapshot().received
				if most := mostSince(begin, limit); got > most {
					t.Fatalf("%d bytes came, at most %d are allowed by now", got, most)
				}
				return got > 3*mib
			})
			s.engine.SetLimits(Limits{})
			waitComplete(t, s)
			checkFile(t, s, f)
		})
	}
}

// TestUploadLimit is the same for what is given, by each way that gives.
func TestUploadLimit(t *testing.T) {
	for _, source := range haveSources() {
		if source == SourceWebSeed {
			continue // nothing is given that way
		}
		t.Run(string(source), func(t *testing.T) {
			t.Parallel()
			const limit = 1 << 20
			f := newFixture(t, 24*mib, 256<<10)
			begin := time.Now()
			seeder, s := limitedPair(t, source, f, Limits{Upload: limit}, Limits{})
			waitUntil(t, "3 MiB", func() bool {
				got := s.tally.snapshot().received
				if most := mostSince(begin, limit); got > most {
					t.Fatalf("%d bytes were given, at most %d are allowed by now", got, most)
				}
				return got > 3*mib
			})
			seeder.engine.SetLimits(Limits{})
			waitComplete(t, s)
			checkFile(t, s, f)
		})
	}
}

// TestLimitComesIntoForce sets limits on a transfer that runs without one.
func TestLimitComesIntoForce(t *testing.T) {
	f := newFixture(t, 64*mib, 256<<10)
	seeder, s := limitedPair(t, SourceTCP, f, Limits{Upload: 8 * mib}, Limits{})
	waitUntil(t, "a first MiB", func() bool { return s.Stats().Completed > mib })
	const limit = 256 << 10
	seeder.engine.SetLimits(Limits{Upload: limit})
	begin, before := time.Now(), s.tally.snapshot().received
	waitUntil(t, "another MiB", func() bool {
		got := s.tally.snapshot().received - before
		if most := mostSince(begin, limit); got > most {
			t.Fatalf("%d bytes came, at most %d are allowed by now", got, most)
		}
		return got > mib
	})
	seeder.engine.SetLimits(Limits{})
	waitComplete(t, s)
}

// TestLimitsChangeUnderLoad turns the limits up and down while everything is busy: the client panics
// where a burst falls below what is on its way.
func TestLimitsChangeUnderLoad(t *testing.T) {
	f := newFixture(t, 48*mib, 256<<10)
	seeder, s := limitedPair(t, SourceTCP, f, Limits{}, Limits{})
	for i := 0; !s.Stats().Complete; i++ {
		rate := []int64{0, 20 * mib, 64 << 20, 30 * mib}[i%4]
		seeder.engine.SetLimits(Limits{Upload: rate})
		s.engine.SetLimits(Limits{Download: rate})
	}
	checkFile(t, s, f)
}

// TestMeteredHoldsWhatNobodyWatches switches the metered network on and off under a background
// download and under the seeder.
func TestMeteredHoldsWhatNobodyWatches(t *testing.T) {
	f := newFixture(t, 32*mib, 256<<10)
	seeder, s := limitedPair(t, SourceTCP, f, Limits{Upload: 2 * mib}, Limits{})
	waitUntil(t, "a first MiB", func() bool { return s.Stats().Completed > mib })

	s.engine.SetLimits(Limits{Metered: true})
	waitUntil(t, "the download to be held", func() bool { st := s.Stats(); return st.Held && st.Peers.Sum() == 0 })
	if st := s.Stats(); st.Complete || st.Problem != "" {
		t.Fatalf("%+v", st)
	}
	s.engine.SetLimits(Limits{})
	waitUntil(t, "the download to go on", func() bool { st := s.Stats(); return !st.Held && st.Completed > 4*mib })

	seeder.engine.SetLimits(Limits{Metered: true, Upload: 2 * mib})
	waitUntil(t, "the seeder to be held", func() bool { st := seeder.Stats(); return st.Held && st.Peers.Sum() == 0 })
	seeder.engine.SetLimits(Limits{})
	if err := s.merge(Target{Peers: s.Target().Peers}); err != nil { // there is no tracker to tell of it again
		t.Fatal(err)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
}

// TestMeteredFetchesWhatIsWatched streams on a metered network: what is in front of the playhead is
// fetched, the rest is not although it is wanted, and a peer that asks gets nothing.
func TestMeteredFetchesWhatIsWatched(t *testing.T) {
	f := newFixture(t, 32*mib, 256<<10)
	source := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	target.Peers = []string{source.addr()}
	e := newEngine(t, Config{Sources: Sources{SourceTCP}, ReadAhead: 2 * mib, Limits: Limits{Metered: true}})
	s := join(t, e, target, JoinOptions{})
	s.Download()
	if st := s.Stats(); !st.Held {
		t.Fatalf("a swarm nobody watches is not held: %+v", st)
	}
	st := openStream(t, s)
	readFull(t, st, 0, 4*mib, f)
	if s.Stats().Held {
		t.Fatal("held while it is being watched")
	}

	greedy := f.target()
	greedy.Peers = []string{e.addr()}
	other := join(t, newEngine(t, Config{Sources: Sources{SourceTCP}}), greedy, JoinOptions{})
	other.Download()
	waitUntil(t, "the other to connect", func() bool { return other.Stats().Peers.TCP == 1 })
	readFull(t, st, 4*mib, 4*mib, f)
	if n := s.Stats().Completed; n > 12*mib {
		t.Fatalf("%d bytes were fetched for a playhead at 8 MiB", n)
	}
	e.countOpen(s)
	if n := s.Stats().Uploaded.Sum(); n != 0 { // what the other got came from the source, by PEX
		t.Fatalf("%d bytes were given", n)
	}

	e.SetLimits(Limits{})
	if _, err := st.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	waitComplete(t, other)
}

// TestMeteredSeedsKeepQuiet starts seeds on a metered network: no tracker hears of them, until it is
// not metered any more.
func TestMeteredSeedsKeepQuiet(t *testing.T) {
	f := newFixture(t, mib, 256<<10)
	tracker := newHTTPTracker(t)
	e := newEngine(t, Config{Sources: Sources{SourceTCP}, Limits: Limits{Metered: true}})
	s, err := e.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path, Trackers: []string{tracker.URL}})
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the seed to be ready", func() bool { return s.isReady() && s.Stats().Complete })
	if got := fmt.Sprint(tracker.events(e.Port())); got != "[]" || !s.Stats().Held {
		t.Fatalf("the tracker heard %s", got)
	}
	e.SetLimits(Limits{})
	waitUntil(t, "the tracker to hear of it", func() bool { return len(tracker.events(e.Port())) == 1 })
}
