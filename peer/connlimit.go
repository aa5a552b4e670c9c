// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"github.com/anacrolix/torrent"
)

// add enters a connection. Where there are as many as there may be, somebody must go: it returns
// which connection to close, which may be the new one; that is refused then.
//
// Swarms that are being watched go first, and beyond that each has as much right as the others: a
// swarm that has fewer connections takes one from the swarm that has most.
func (t *connTable) add(c *conn, most int) (surplus *torrent.PeerConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.serial++
	c.serial = t.serial
	t.open[c.pc] = c
	if c.refused {
		return nil
	}
	if t.live < most {
		t.live++
		return nil
	}
	if victim := t.victim(c.swarm); victim != nil {
		victim.ending = true // and c takes its place
		return victim.pc
	}
	c.refused = true
	return c.pc
}

// remove takes out a connection that has ended. mu is held.
func (t *connTable) remove(pc *torrent.PeerConn) {
	if c := t.open[pc]; c != nil && !c.refused && !c.ending {
		t.live--
	}
	delete(t.open, pc)
}

// victim is the connection that makes room for one of a swarm: the newest of the swarm that has most,
// of those that are watched less. nil where that would be unfair. mu is held.
func (t *connTable) victim(of *Swarm) *conn {
	counts := map[*Swarm]int{}
	newest := map[*Swarm]*conn{}
	for _, c := range t.open {
		if c.refused || c.ending {
			continue
		}
		counts[c.swarm]++
		if n := newest[c.swarm]; n == nil || c.serial > n.serial {
			newest[c.swarm] = c
		}
	}
	watched := of.watched()
	var worst *Swarm
	for s, n := range counts {
		switch {
		case s == of, s.watched() && !watched:
			continue
		case s.watched() == watched && n <= counts[of]: // the new one is counted
			continue
		}
		if worst == nil || !s.watched() && worst.watched() || s.watched() == worst.watched() && n > counts[worst] {
			worst = s
		}
	}
	return newest[worst]
}

// trim picks connections to close until there are no more than so many, fairly.
func (t *connTable) trim(most int) (surplus []*torrent.PeerConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.live > most {
		counts := map[*Swarm]int{}
		for _, c := range t.open {
			if !c.refused && !c.ending {
				counts[c.swarm]++
			}
		}
		var worst *conn
		for _, c := range t.open {
			if c.refused || c.ending {
				continue
			}
			if worst == nil || before(c, worst, counts) {
				worst = c
			}
		}
		worst.ending = true
		t.live--
		surplus = append(surplus, worst.pc)
	}
	return surplus
}

// before reports whether c goes before d.
func before(c, d *conn, counts map[*Swarm]int) bool {
	if c.swarm.watched() != d.swarm.watched() {
		return d.swarm.watched()
	}
	if counts[c.swarm] != counts[d.swarm] {
		return counts[c.swarm] > counts[d.swarm]
	}
	return c.serial > d.serial
}

// trimConns closes connections until there are no more than there may be.
func (e *Engine) trimConns() {
	for _, pc := range e.conns.trim(e.Limits().Connections) {
		pc.Close()
	}
}

// connections is how many connections are open, without those that are being closed.
func (e *Engine) connections() int {
	e.conns.mu.Lock()
	defer e.conns.mu.Unlock()
	return e.conns.live
}

// wantsDials reports whether peers are to be dialed: while there is room, and beyond that for what
// is being watched.
func (e *Engine) wantsDials() bool {
	return e.connections() < e.Limits().Connections || e.watching.Load() > 0
}

// resize tells the client how many connections the swarm may have.
func (s *Swarm) resize() {
	s.switching.Lock()
	defer s.switching.Unlock()
	if t := s.loaded(); t != nil && s.online() {
		t.SetMaxEstablishedConns(s.engine.Limits().ConnectionsPerSwarm)
	}
}

// watched reports whether a stream of the swarm is open. It may be called from callbacks.
func (s *Swarm) watched() bool { return s.watching.Load() > 0 }
