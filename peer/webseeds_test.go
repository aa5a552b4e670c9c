// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// simulation plays a film by a clock of its own, from peers of one speed and a WebSeed of another.
type simulation struct {
	rate, peers, webSeed float64 // bytes per second
	readAhead            int64
	greedy               bool // the player reads all there is, and not as it plays
}

type outcome struct {
	fromPeers, fromWebSeed float64
	stalls                 int // steps in which the film stood still, after it had begun
}

// run plays a film of a length in seconds, with one seek into the middle.
func (s simulation) run(seconds float64) outcome {
	const step = 50 * time.Millisecond
	var o outcome
	now := time.Unix(0, 0)
	b := buffer{rate: s.rate}
	size := seconds * s.rate
	at, have, shown := 0.0, 0.0, 0.0
	b.seek(0, now)
	begun, sought := false, false
	var peerRate float64
	for shown < size {
		now = now.Add(step)
		room := min(at+float64(s.readAhead), size) - have
		thirsty := room > 0 && b.thirsty(supply{peers: s.peers > 0, rate: peerRate}, int64(at), int64(have), s.readAhead, now)
		got := min(s.peers*step.Seconds(), room)
		peerRate = 0.9*peerRate + 0.1*got/step.Seconds()
		o.fromPeers += got
		if thirsty {
			more := min(s.webSeed*step.Seconds(), room-got)
			o.fromWebSeed += more
			got += more
		}
		have += got
		need := min(s.rate*step.Seconds(), size-shown)
		switch begun = begun || have-shown >= s.rate/2; {
		case !begun:
		case have-shown < need-1:
			o.stalls++
		default:
			shown += need
		}
		if at = shown; s.greedy {
			at = have
		}
		if !sought && shown > size/4 {
			sought, begun = true, false
			at, have, shown = size/2, size/2, size/2
			b.seek(int64(at), now)
		}
		if now.Unix() > int64(10*seconds) {
			break // it never ends
		}
	}
	return o
}

// TestWebSeedOnlyWhereItIsNeeded plays films on swarms of all speeds: none stalls, and the WebSeed
// gives no more than the peers lack.
func TestWebSeedOnlyWhereItIsNeeded(t *testing.T) {
	const rate, length = 1e6, 600
	for name, c := range map[string]struct {
		s       simulation
		atLeast float64 // of the bytes, from peers
		alone   bool    // there are no peers
	}{
		"fast swarm":             {s: simulation{peers: 3 * rate}, atLeast: 0.97},
		"fast swarm, greedy":     {s: simulation{peers: 30 * rate, greedy: true}, atLeast: 0.97},
		"just enough":            {s: simulation{peers: 1.1 * rate}, atLeast: 0.90},
		"half of what it takes":  {s: simulation{peers: 0.5 * rate}, atLeast: 0.40},
		"half, greedy":           {s: simulation{peers: 0.5 * rate, greedy: true}, atLeast: 0.40},
		"next to nothing":        {s: simulation{peers: 0.02 * rate}, atLeast: 0.01},
		"nobody":                 {s: simulation{}, alone: true},
		"a read-ahead of a blip": {s: simulation{peers: 0.5 * rate, readAhead: 2e6}, atLeast: 0.25},
	} {
		t.Run(name, func(t *testing.T) {
			c.s.rate, c.s.webSeed = rate, 20*rate
			if c.s.readAhead == 0 {
				c.s.readAhead = defaultReadAhead
			}
			got := c.s.run(length)
			share := got.fromPeers / (got.fromPeers + got.fromWebSeed)
			t.Logf("%.1f %% from peers, %d stalls", 100*share, got.stalls)
			if got.stalls > 0 {
				t.Errorf("the film stood still in %d steps", got.stalls)
			}
			if share < c.atLeast {
				t.Errorf("%.3f came from peers, want %.3f", share, c.atLeast)
			}
		})
	}
}

// TestWebSeedRestsInAFastSwarm watches a film on a swarm that is fast: the WebSeed gives the first
// seconds at most.
func TestWebSeedRestsInAFastSwarm(t *testing.T) {
	f := newFixture(t, 48*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	target := f.target()
	target.WebSeeds = []string{w.url()}
	for range 2 {
		target.Peers = append(target.Peers, newSeeder(t, f, Config{Sources: Sources{SourceTCP}}).addr())
	}
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}, ReadAhead: 8 * mib})
	s := join(t, e, target, JoinOptions{})
	st := openStream(t, s)
	st.SetBitrate(512 << 10) // it lasts 96 seconds, and is read in a moment
	if n, err := io.Copy(io.Discard, st); err != nil || n != st.Size() {
		t.Fatal(n, err)
	}
	got := s.Stats()
	if share := float64(got.Downloaded.TCP) / float64(got.Bytes); share < 0.9 {
		t.Fatalf("%.3f came from peers: %+v", share, got.Downloaded)
	}
	if !eventually(func() bool { return s.Stats().Peers.WebSeed == 1 }) {
		t.Errorf("the WebSeed that rests is not counted: %+v", s.Stats().Peers)
	}
	t.Logf("downloaded %+v, the WebSeed sent %d bytes", got.Downloaded, w.sent.Load())
}

// TestWebSeedHelpsASlowSwarm watches a film on a swarm that takes hours for it.
func TestWebSeedHelpsASlowSwarm(t *testing.T) {
	f := newFixture(t, 24*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	slow := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 100 << 10}})
	target := f.target()
	target.WebSeeds, target.Peers = []string{w.url()}, []string{slow.addr()}
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}, ReadAhead: 4 * mib})
	s := join(t, e, target, JoinOptions{})
	st := openStream(t, s)
	st.SetBitrate(8 << 20)
	readFull(t, st, 0, 8*mib, f)
	readFull(t, st, 16*mib, 8*mib, f)
	if got := s.Stats().Downloaded; got.WebSeed < 12*mib {
		t.Fatalf("downloaded %+v", got)
	}
}

// TestDownloadLeavesTheWebSeedAlone downloads from a fast swarm with nobody watching, then what is
// left of it once the peers are gone.
func TestDownloadLeavesTheWebSeedAlone(t *testing.T) {
	f := newFixture(t, 24*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	// Twice a film's rate: fast enough to be left alone, slow enough to be gone before the end.
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 4 * filmRate}})
	target := f.target()
	target.WebSeeds, target.Peers = []string{w.url()}, []string{seeder.addr()}
	e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "a part of it", func() bool { return s.Stats().Completed >= 12*mib })
	if got := s.Stats(); got.Downloaded.WebSeed > got.Downloaded.TCP/10 {
		t.Fatalf("downloaded %+v from a fast swarm", got.Downloaded)
	}
	if err := seeder.Close(); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
	if got := s.Stats(); got.Downloaded.WebSeed == 0 || got.Downloaded.Sum() != got.Bytes {
		t.Fatalf("downloaded %+v", got.Downloaded)
	}
}

// TestNobodyIsWaitedFor downloads where every tracker says that there is no peer: the WebSeed is used at
// once, and not before the tracker has said so.
func TestNobodyIsWaitedFor(t *testing.T) {
	f := newFixture(t, 4*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	asked, say := make(chan struct{}, 10), make(chan struct{})
	tracker := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-say
		_, _ = io.WriteString(rw, "d8:completei0e10:incompletei1e8:intervali900e5:peers0:e")
	}))
	t.Cleanup(tracker.Close) // after the engine's
	target := f.target()
	target.WebSeeds, target.Trackers = []string{w.url()}, []string{tracker.URL + "/announce"}
	e := newEngine(t, Config{times: timings{arrival: time.Hour}})
	s := join(t, e, target, JoinOptions{})
	s.Download()
	<-asked
	s.useWebSeeds()
	if n := w.requests.Load(); n > 0 {
		t.Errorf("the WebSeed was asked %d times before the tracker answered", n)
	}
	close(say)
	waitComplete(t, s)
	checkFile(t, s, f)
}

// TestALittleIsNotWaitedFor downloads small files whose trackers do not answer.
func TestALittleIsNotWaitedFor(t *testing.T) {
	tracker := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(tracker.Close) // after the engine's
	e := newEngine(t, Config{times: timings{arrival: time.Hour}})
	for size := range 5 {
		f := newFixture(t, 1000+size, 16<<10)
		target := f.target()
		target.WebSeeds, target.Trackers = []string{newWebSeed(t, f, 0).url()}, []string{tracker.URL + "/announce"}
		s := join(t, e, target, JoinOptions{})
		s.Download()
		waitComplete(t, s)
		checkFile(t, s, f)
	}
}
