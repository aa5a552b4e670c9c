// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"slices"
	"time"

	"github.com/anacrolix/torrent"
)

// A swarm that wants something and has lost its last peer dials those that it knew again, after 1, 2, 4
// and more polls, and asks its trackers before their interval is over: the client forgets a peer whose
// connection was cut.
const (
	maxMet      = 50               // addresses kept of a swarm
	aloneRound  = 64               // polls between two tries, at most
	askAloneAt  = 16               // polls after which trackers are asked
	askAloneOld = 90 * time.Second // unless they were asked so short a while ago
)

// meet remembers whom we dialed with success. It is called under the client's lock.
func (s *Swarm) meet(c *conn) {
	if c.source == SourceWebRTC || c.pc.Discovery == torrent.PeerSourceIncoming {
		return
	}
	addr := c.pc.RemoteAddr.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.met = slices.DeleteFunc(s.met, func(a string) bool { return a == addr })
	s.met = append(s.met, addr)
	s.met = s.met[max(0, len(s.met)-maxMet):]
}

// alone counts the polls without a peer, and looks for one every now and then. The engine's poll calls
// it.
func (s *Swarm) alone() int {
	s.mu.Lock()
	wants := (s.download || len(s.streams) > 0) && s.network != nil && !s.halted
	again := append(slices.Clone(s.met), s.target.Peers...)
	trackers := s.trackers
	s.mu.Unlock()
	if !wants || s.peersBy.sum() > 0 || s.store.complete() {
		return 0
	}
	n := 1
	if last := s.rates.Load(); last != nil {
		n = last.alone + 1
	}
	if n&(n-1) == 0 && n < aloneRound || n%aloneRound == 0 {
		if s.allows(SourceTCP) || s.allows(SourceUTP) {
			if t := s.loaded(); t != nil {
				t.AddPeers(peerInfos(again, torrent.PeerSourceDirect))
			}
		}
	}
	if n%aloneRound == askAloneAt {
		for _, a := range trackers {
			if st := a.Status(); st.LastError == "" && time.Since(st.LastAnnounce) > askAloneOld {
				a.hurry() // one that fails is tried again soon anyway
			}
		}
	}
	return n
}
