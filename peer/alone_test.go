// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import "testing"

// TestCutConnection cuts the only connection of a download, again and again, with nobody to tell of the peer
// again: the engine finds back to it by itself.
func TestCutConnection(t *testing.T) {
	f := newFixture(t, 8*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 2 * mib}})
	cut := newCutter(t, seeder.addr())
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	target.Peers = []string{cut.Addr().String()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	for range 3 {
		before := s.Stats().Completed
		waitUntil(t, "more bytes", func() bool { return s.Stats().Completed > before })
		cut.cut()
	}
	waitComplete(t, s)
	checkFile(t, s, f)
	if n := s.Stats().Wasted; n > mib {
		t.Fatalf("%d bytes wasted", n)
	}
}
