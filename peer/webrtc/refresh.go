// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import "errors"

var errMoved = errors.New("our addresses have changed")

// Refresh is for when the machine has woken up or has other addresses. Trackers are connected to anew at
// once and told of every swarm, and offers, which hold the old addresses, are made anew. Connections
// that are open are left to end by themselves, which takes up to half a minute, if they are broken.
func (t *Transport) Refresh() {
	t.mu.Lock()
	swarms := make([]*Swarm, 0, len(t.swarms))
	for _, s := range t.swarms {
		swarms = append(swarms, s)
	}
	trackers := make([]*tracker, 0, len(t.trackers))
	for _, tr := range t.trackers {
		trackers = append(trackers, tr)
	}
	t.mu.Unlock()
	for _, s := range swarms {
		s.dropOffers()
	}
	for _, tr := range trackers {
		tr.reconnect()
	}
}

func (s *Swarm) dropOffers() {
	s.mu.Lock()
	offered := make([]*link, 0, len(s.offers))
	for _, l := range s.offers {
		offered = append(offered, l)
	}
	s.mu.Unlock()
	for _, l := range offered {
		l.finish(errMoved)
	}
}

// reconnect ends the WebSocket, if there is one, and opens one without a pause.
func (tr *tracker) reconnect() {
	notify(tr.kick)
	tr.mu.Lock()
	s := tr.session
	tr.mu.Unlock()
	if s != nil {
		s.fail()
	}
}
