// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"net/url"
	"slices"
	"time"
)

// maxDisgrace is how many times the time doubles for which a WebSeed is left alone that sends wrong bytes
// again and again.
const maxDisgrace = 8

// disgrace is a WebSeed's after pieces that it had sent alone failed their hash.
type disgrace struct {
	times int // since the swarm was joined
	until time.Time
}

// distrust leaves a host's WebSeeds alone for a while, which is longer each time: the client forgets
// that one has lied when it lets go of it, as it does whenever the peers are fast enough. The caller
// holds mu.
func (s *Swarm) distrust(host string, now time.Time) {
	d := s.liars[host]
	if now.Before(d.until) {
		return // what was on its way
	}
	d.until = now.Add(s.engine.config.times.disgrace << min(d.times, maxDisgrace))
	d.times++
	if s.liars == nil {
		s.liars = map[string]disgrace{}
	}
	s.liars[host] = d
	s.engine.logger.Debug("a WebSeed sends wrong bytes", "infohash", s.infohash.HexString(), "host", host, "times", d.times)
}

// trusted are the WebSeeds that may be used. The caller holds mu.
func (s *Swarm) trusted(now time.Time) []string {
	if len(s.liars) == 0 {
		return slices.Clone(s.target.WebSeeds)
	}
	var out []string
	for _, raw := range s.target.WebSeeds {
		if u, err := url.Parse(raw); err != nil || !now.Before(s.liars[u.Host].until) {
			out = append(out, raw)
		}
	}
	return out
}
