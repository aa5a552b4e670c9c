// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import "time"

// unwatchedFor is how long after its last stream was closed a swarm still counts as watched: a
// player closes its stream and opens another.
const unwatchedFor = 10 * time.Second

// settleMetered holds the swarm, or lets it go on, as the network asks. On a metered one a swarm
// takes part while it is being watched, or while its metadata is fetched for that, and it gives
// nothing away. A swarm that is held is like one that is paused.
func (s *Swarm) settleMetered() {
	s.switching.Lock()
	defer s.switching.Unlock()
	metered := s.engine.Limits().Metered
	s.giveNothingWhile(metered)
	s.mu.Lock()
	hold := metered && s.isReady() && !s.watched() && time.Since(s.watchedUntil) > unwatchedFor
	if hold == s.held || s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	s.held = hold
	paused := s.paused
	s.mu.Unlock()
	switch {
	case paused:
	case hold:
		s.disconnect()
	default:
		s.reconnect()
	}
}

// giveNothingWhile has the client refuse, or answer, what peers ask for. The caller holds switching.
func (s *Swarm) giveNothingWhile(metered bool) {
	if metered == s.giveNothing {
		return
	}
	s.giveNothing = metered
	switch t := s.loaded(); {
	case t == nil:
	case metered:
		t.DisallowDataUpload()
	default:
		t.AllowDataUpload()
	}
}

// watch counts a stream that was opened.
func (s *Swarm) watch() {
	s.watching.Add(1)
	s.engine.watching.Add(1)
	if s.engine.Limits().Metered {
		s.settleMetered()
	}
}

// unwatch counts a stream that was closed.
func (s *Swarm) unwatch() {
	s.mu.Lock()
	s.watchedUntil = time.Now()
	s.mu.Unlock()
	s.watching.Add(-1)
	s.engine.watching.Add(-1)
	if s.engine.Limits().Metered {
		time.AfterFunc(unwatchedFor+time.Second, s.wake)
	}
}

// online reports whether the swarm takes part: neither paused nor held.
func (s *Swarm) online() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.paused && !s.held && s.ctx.Err() == nil
}
