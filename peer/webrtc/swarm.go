// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"
)

// Swarm is one torrent that the Transport has joined.
type Swarm struct {
	t      *Transport
	cfg    SwarmConfig
	ctx    context.Context //nolint:containedctx // the Swarm's own life, ended by Close
	cancel context.CancelFunc
	jobs   sync.WaitGroup // announcers that leave

	mu         sync.Mutex
	closed     bool
	announcers []*announcer
	offers     map[string]*link     // ours that wait for an answer, by offer id
	making     int                  // offers being made
	links      map[[20]byte]*link   // open and opening, by peer id
	refused    map[[20]byte]refusal // peers that the torrent client did not want
	lost       int                  // connections that were of use and have ended
}

func newSwarm(t *Transport, cfg SwarmConfig) *Swarm {
	ctx, cancel := context.WithCancel(t.ctx)
	return &Swarm{
		t:       t,
		cfg:     cfg,
		ctx:     ctx,
		cancel:  cancel,
		offers:  make(map[string]*link),
		links:   make(map[[20]byte]*link),
		refused: make(map[[20]byte]refusal),
	}
}

// AddTrackers adds trackers to the swarm and announces to them. Those known already, and URLs that
// are not ws:// or wss://, are ignored.
func (s *Swarm) AddTrackers(urls []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, url := range usable(urls) {
		if s.closed || len(s.announcers) >= maxTrackersPerSwarm || s.announces(url) {
			continue
		}
		a := newAnnouncer(s)
		if !s.t.announceTo(url, a) {
			continue
		}
		s.announcers = append(s.announcers, a)
		a.hurry()
	}
}

func (s *Swarm) announces(url string) bool {
	for _, a := range s.announcers {
		if a.tracker.url == url {
			return true
		}
	}
	return false
}

// Completed announces that the download has completed. It is for a download that completes while
// the swarm is joined, not for a swarm that is joined complete (BEP 3).
func (s *Swarm) Completed() {
	for _, a := range s.all() {
		a.complete()
	}
}

// Announce asks for more peers soon, as a change of what is wanted does.
func (s *Swarm) Announce() {
	for _, a := range s.all() {
		a.hurry()
	}
}

// Trackers tells how the swarm's trackers are, in the order they were added.
func (s *Swarm) Trackers() []TrackerStatus {
	announcers := s.all()
	out := make([]TrackerStatus, len(announcers))
	for i, a := range announcers {
		out[i] = a.status()
	}
	return out
}

// Peers is how many connections are open.
func (s *Swarm) Peers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.links {
		if l.state == linkOpen {
			n++
		}
	}
	return n
}

// Close leaves the swarm: trackers hear "stopped", within a bounded time, and every connection is
// closed. It may be called more than once.
func (s *Swarm) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		for _, a := range s.announcers {
			s.jobs.Go(a.leave)
		}
	}
	var links []*link
	for _, l := range s.links {
		links = append(links, l)
	}
	for _, l := range s.offers {
		links = append(links, l)
	}
	s.mu.Unlock()
	s.t.forget(s)
	s.cancel()
	for _, l := range links {
		l.finish(errSwarmClosed)
	}
	s.jobs.Wait()
	return nil
}

func (s *Swarm) all() []*announcer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*announcer(nil), s.announcers...)
}

// progress is what the torrent client says, with left < 0 where it knows nothing.
func (s *Swarm) progress() (uploaded, downloaded, left int64) {
	if s.cfg.Progress == nil {
		return 0, 0, -1
	}
	return s.cfg.Progress()
}

// room is how many more connections the swarm may have. s.mu is held.
func (s *Swarm) room() int {
	if s.closed {
		return 0
	}
	return max(0, int(s.t.maxConnsPerSwarm.Load())-len(s.links))
}

// fewPeers is the number of connections below which more are looked for at once, instead of at the
// tracker's interval.
const fewPeers = 4

// wants tells whether the swarm needs peers soon, how many connections came by this tracker, and how
// many the swarm has lost so far. Connections that take long to open do not count.
func (s *Swarm) wants(by *announcer) (soon bool, conns, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := 0
	for _, l := range s.links {
		if l.state == linkOpening && time.Since(l.since) > s.t.times.stale {
			continue
		}
		all++
		if l.by == by {
			conns++
		}
	}
	return all < fewPeers && s.room() > 0, conns, s.lost
}

// refusal is how long a peer is kept away. The torrent client may not want a peer for no more than a
// moment, while it has not noticed yet that an earlier connection to it has ended: the pause begins
// short and doubles.
type refusal struct {
	until time.Time
	pause time.Duration
}

// refuse keeps a peer away that the torrent client did not want. s.mu is held.
func (s *Swarm) refuse(peerID [20]byte) {
	now, most := time.Now(), s.t.times.refuse
	pause := most / 16
	if r, ok := s.refused[peerID]; ok {
		pause = min(2*r.pause, most)
	}
	for id, r := range s.refused {
		if now.After(r.until.Add(most)) || len(s.refused) >= maxRefused {
			delete(s.refused, id)
		}
	}
	s.refused[peerID] = refusal{now.Add(pause), pause}
}

// peerOf is the link's peer id.
func (s *Swarm) peerOf(l *link) [20]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.peerID
}

// opened gives an opening link its conn; false if it has ended meanwhile.
func (s *Swarm) opened(l *link, c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.state != linkOpening {
		return false
	}
	l.state, l.conn, l.since = linkOpen, c, time.Now()
	l.timer.Stop()
	s.t.connOpened()
	return true
}

// adopt makes finish close the link's peer connection; false if the link has ended meanwhile.
func (s *Swarm) adopt(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.state == linkFinished {
		return false
	}
	l.owned = true
	return true
}

// outranks tells whether our offer beats the peer's where only one can go on: the greater peer id
// does, and so both sides come to the same end.
func (s *Swarm) outranks(l *link) bool {
	peerID := s.peerOf(l)
	return bytes.Compare(s.cfg.PeerID[:], peerID[:]) > 0
}

// finished takes a link out of the books. It returns its conn, if any, whether it has a peer
// connection, and false if it had ended before.
func (s *Swarm) finished(l *link, why error) (c *conn, owned, ok bool) {
	s.mu.Lock()
	state := l.state
	if state == linkFinished {
		s.mu.Unlock()
		return nil, false, false
	}
	l.state = linkFinished
	if l.timer != nil {
		l.timer.Stop()
	}
	switch state {
	case linkOffered:
		delete(s.offers, l.offerID)
	case linkOpening, linkOpen:
		if s.links[l.peerID] == l {
			delete(s.links, l.peerID)
		}
		switch lived := time.Since(l.since); {
		case errors.Is(why, errSamePorts):
			s.lost++ // try again soon
		case state == linkOpening:
		case lived >= s.t.times.unwanted:
			s.lost++
		case why == nil:
			s.refuse(l.peerID)
		}
	}
	c, owned = l.conn, l.owned
	closed := s.closed
	s.mu.Unlock()

	switch state {
	case linkOffered:
		s.t.giveOffers(1)
	case linkOpening, linkOpen:
		s.t.giveConn(state == linkOpening)
		if !closed {
			s.Announce()
		}
	}
	if why != nil {
		s.t.logger.Debug("link ended", "infohash", hexID(s.cfg.Infohash), "peer", hexID(l.peerID), "reason", why)
	}
	return c, owned, true
}
