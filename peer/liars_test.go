// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"testing"
	"time"
)

// TestALyingWebSeedStaysInDisgrace: one that sent wrong bytes is asked for nothing more when the swarm
// lets go of its WebSeeds and takes them up again, while an honest one is used.
func TestALyingWebSeedStaysInDisgrace(t *testing.T) {
	f := newFixture(t, 6*mib, 256<<10)
	liar, honest := newWebSeed(t, f, 0), newWebSeed(t, f, 0)
	liar.corrupt.Store(true)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}})
	target := f.target()
	target.WebSeeds = []string{liar.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "the lie", func() bool { return s.Stats().Wasted >= 256<<10 })
	waitUntil(t, "it to be let go of", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.webSeeding && len(s.webSeeds) == 0
	})
	waitUntil(t, "nobody to be there", func() bool { return s.Stats().Peers.WebSeed == 0 })
	asked := liar.requests.Load()
	for range 3 {
		s.Pause()
		s.Resume()
	}
	if err := s.merge(Target{WebSeeds: []string{honest.url()}}); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
	if n := liar.requests.Load(); n != asked {
		t.Errorf("the liar was asked %d times more", n-asked)
	}
}

// TestAWebSeedIsForgiven: one that lied is tried again after a while, and is welcome if it is honest.
func TestAWebSeedIsForgiven(t *testing.T) {
	f := newFixture(t, 2*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	w.corrupt.Store(true)
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}, times: timings{disgrace: 100 * time.Millisecond}})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "two lies", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, d := range s.liars {
			return d.times == 2
		}
		return false
	})
	w.corrupt.Store(false)
	waitComplete(t, s)
	checkFile(t, s, f)
}

// TestDisgraceDoubles: who lies again and again is left alone for hours, and not for ever.
func TestDisgraceDoubles(t *testing.T) {
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}})
	s := join(t, e, Target{Infohash: [20]byte{1}, WebSeeds: []string{"http://a.example/f", "https://b.example:8443/f"}}, JoinOptions{})
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Unix(1e9, 0)
	for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		for range 3 { // pieces of one request
			s.distrust("b.example:8443", now)
		}
		if got := s.trusted(now.Add(want - time.Second)); len(got) != 1 || got[0] != "http://a.example/f" {
			t.Errorf("after lie %d: %v", i, got)
		}
		if now = now.Add(want); len(s.trusted(now)) != 2 {
			t.Errorf("after lie %d it is left alone for more than %s", i, want)
		}
	}
	for range 100 {
		s.distrust("b.example:8443", now)
		now = now.Add(5 * time.Hour)
	}
	if len(s.trusted(now)) != 2 {
		t.Error("it is never tried again")
	}
}
