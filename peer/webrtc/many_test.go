// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"testing"
	"time"
)

// seedOf is the configuration of a complete peer of swarm number n.
func seedOf(name string, n int, trackers ...string) SwarmConfig {
	cfg := swarmOf(name, trackers...)
	cfg.Infohash[18], cfg.Infohash[19] = byte(n>>8), byte(n)
	cfg.Progress = func() (int64, int64, int64) { return 0, 0, 0 }
	return cfg
}

// TestManySeedsOneTracker joins more swarms than messages may wait for a tracker. They announce on
// one WebSocket that never breaks, and while nobody is there to connect to, without an offer.
func TestManySeedsOneTracker(t *testing.T) {
	const n = 5 * maxOutgoing / 2
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	for i := range n {
		tr.Join(seedOf("many", i, f.URL))
	}
	eventually(t, "every swarm has announced itself", func() bool { return len(f.announces(id("many"))) >= n })
	offers := 0
	for _, m := range f.announces(id("many")) {
		offers += len(m.Offers)
	}
	if dials := f.dialed(); dials != 1 || offers != 0 {
		t.Fatalf("%d WebSockets were opened and %d offers made", dials, offers)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, m := range f.announces(id("many")) {
		if m.Event == "stopped" {
			left++
		}
	}
	if left != n {
		t.Fatalf("%d of %d swarms said that they left", left, n)
	}
}

// TestSeedOffersWhereSomebodyIs joins a complete peer where a leecher is who makes no offers any
// more: it must be the seed that does, and at once.
func TestSeedOffersWhereSomebodyIs(t *testing.T) {
	f := newFakeTracker(t)
	times := defaultTimings()
	times.quick = time.Hour // nothing but the tracker's count makes it announce again
	leecher := testTransport(t, times)
	cl := swarmOf("leech", f.URL)
	leecher.Join(cl)
	eventually(t, "the leecher is there", func() bool { return len(f.announces(cl.PeerID)) == 1 })

	cs := swarmOf("seed", f.URL)
	cs.Progress = func() (int64, int64, int64) { return 0, 0, 0 }
	testTransport(t, times).Join(cs)
	accept(t, leecher, cl)
	said := f.announces(cs.PeerID)
	if len(said) < 2 || len(said[0].Offers) != 0 || len(said[1].Offers) == 0 || said[0].Event != "started" || said[1].Event != "" {
		t.Fatalf("the seed announced %d times: %+v", len(said), said)
	}
}
