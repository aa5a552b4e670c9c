// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import "testing"

// TestBridge has a file go from one end to another through us: what the first end speaks the last
// does not, and we speak all of it. The last has pieces before we have them all.
func TestBridge(t *testing.T) {
	const slow = 4 * mib // bytes a second from the first end, so that we are not done at once
	for name, c := range map[string]struct{ first, last Source }{
		"TCP to WebRTC":     {SourceTCP, SourceWebRTC},
		"uTP to WebRTC":     {SourceUTP, SourceWebRTC},
		"WebSeed to WebRTC": {SourceWebSeed, SourceWebRTC},
		"WebRTC to TCP":     {SourceWebRTC, SourceTCP},
		"WebRTC to uTP":     {SourceWebRTC, SourceUTP},
		"WebSeed to TCP":    {SourceWebSeed, SourceTCP},
	} {
		t.Run(name, func(t *testing.T) {
			if !haveUTP && (c.first == SourceUTP || c.last == SourceUTP) {
				return
			}
			f := newFixture(t, 8*mib+77, 128<<10)
			tracker := newWSTracker(t)
			middle := newEngine(t, Config{})
			target := f.target()
			first := Config{Sources: Sources{c.first}, Limits: Limits{Upload: slow}}
			switch c.first {
			case SourceWebRTC:
				webRTCSeeder(t, f, tracker, first)
				target.Trackers = []string{tracker.url()}
			case SourceWebSeed:
				target.WebSeeds = []string{newWebSeed(t, f, slow).url()}
			default:
				target.Peers = []string{newSeeder(t, f, first).addr()}
			}
			theirs := f.target()
			if c.last == SourceWebRTC {
				target.Trackers = []string{tracker.url()}
				theirs.Trackers = target.Trackers
			} else {
				theirs.Peers = []string{middle.addr()}
			}
			us := join(t, middle, target, JoinOptions{})
			them := join(t, newEngine(t, Config{Sources: Sources{c.last}}), theirs, JoinOptions{})
			them.Download()
			waitUntil(t, "the last to find us", func() bool { return them.Stats().Peers.Sum() > 0 })
			us.Download()
			early := false
			waitUntil(t, "the last to have it all", func() bool {
				theirs, ours := them.Stats(), us.Stats()
				early = early || theirs.Completed > 0 && !ours.Complete
				return theirs.Complete
			})
			checkFile(t, them, f)
			if !early {
				t.Error("nothing was handed on before we had it all")
			}
			expect := func(who string, s *Swarm, source Source) {
				var want Bytes
				want.add(source, int64(len(f.data)))
				if got := s.Stats().Downloaded; got != want {
					t.Errorf("%s downloaded %+v, want %+v", who, got, want)
				}
			}
			expect("the last", them, c.last)
			expect("we", us, c.first)
		})
	}
}
