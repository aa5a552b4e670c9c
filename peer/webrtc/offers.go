// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"time"
)

var (
	errSwarmClosed = errors.New("swarm closed")
	errUnanswered  = errors.New("offer not answered in time")
	errSlow        = errors.New("connection did not open in time")
	errFinished    = errors.New("connection is not wanted any more")
	errUnwanted    = errors.New("answer comes from a peer that is connected or not wanted")
	errReplaced    = errors.New("another connection to the same peer takes its place")
	errSamePorts   = errors.New("another connection uses the same two ports")
)

func hexID(id [20]byte) string { return hex.EncodeToString(id[:]) }

// makeOffers makes up to n offers, all at the same time; fewer if there is no room for the
// connections that might come of them. Each is dropped if no answer comes. It takes no longer than
// the gathering of candidates may.
func (s *Swarm) makeOffers(ctx context.Context, by *announcer, n int) []offer {
	s.mu.Lock()
	n = max(0, min(n, s.room(), maxOffersPerSwarm-len(s.offers)-s.making))
	s.making += n
	s.mu.Unlock()
	got := s.t.takeOffers(n)
	defer func() {
		s.mu.Lock()
		s.making -= n
		s.mu.Unlock()
	}()

	made := make([]*offer, got)
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() { made[i] = s.makeOffer(ctx, by) })
	}
	all.Wait()
	out := make([]offer, 0, got)
	for _, o := range made {
		if o != nil {
			out = append(out, *o)
		}
	}
	return out
}

func (s *Swarm) makeOffer(ctx context.Context, by *announcer) *offer {
	var id [20]byte
	if _, err := rand.Read(id[:]); err != nil {
		s.t.giveOffers(1)
		return nil
	}
	// The id goes into a label too: keep it to what any tracker passes on.
	for i, b := range id {
		id[i] = "0123456789abcdefghijklmnopqrstuv"[b&31]
	}
	l := newLink(s, by)
	l.offerID = string(id[:])
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.t.giveOffers(1)
		return nil
	}
	l.state = linkOffered
	s.offers[l.offerID] = l
	l.timer = time.AfterFunc(s.t.times.offer, func() { l.finish(errUnanswered) })
	s.mu.Unlock()

	d, err := l.offer(ctx)
	if err != nil {
		s.t.logger.Debug("making offer failed", "error", err)
		l.finish(err)
		return nil
	}
	return &offer{OfferID: id[:], Offer: d}
}

// handleOffer answers a peer's offer that came by a tracker. It returns at once: the answer is made
// outside the read loop.
func (s *Swarm) handleOffer(by *announcer, to *session, m *message) {
	peerID, ok := m.PeerID.id()
	if !ok || peerID == s.cfg.PeerID || len(m.OfferID) == 0 {
		return
	}
	l := s.begin(by, peerID)
	if l == nil {
		return
	}
	s.t.spawn(func() {
		d, err := l.answer(s.ctx, *m.Offer)
		if err != nil {
			s.t.logger.Debug("answering offer failed", "peer", hexID(peerID), "error", err)
			l.finish(err)
			return
		}
		to.send(&message{
			Action:   "announce",
			Infohash: s.cfg.Infohash[:],
			PeerID:   s.cfg.PeerID[:],
			ToPeerID: peerID[:],
			OfferID:  m.OfferID,
			Answer:   &d,
		})
	})
}

// begin takes a place for a connection to a peer who made an offer; nil if there is none, or if we
// have or are making one to the same peer already.
func (s *Swarm) begin(by *announcer, peerID [20]byte) *link {
	s.mu.Lock()
	stuck := s.links[peerID]
	s.mu.Unlock()
	if stuck != nil {
		if !s.stuck(stuck) {
			return nil
		}
		stuck.finish(errReplaced)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links[peerID] != nil || s.room() == 0 || time.Now().Before(s.refused[peerID].until) || !s.t.takeConn() {
		return nil
	}
	l := newLink(s, by)
	l.peerID, l.state = peerID, linkOpening
	l.timer = time.AfterFunc(s.t.times.connect, func() { l.finish(errSlow) })
	s.links[peerID] = l
	return l
}

// stuck tells that a connection has been opening for so long that another try is better.
func (s *Swarm) stuck(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.state == linkOpening && time.Since(l.since) > s.t.times.stale
}

// handleAnswer connects to the peer that answered an offer of ours.
func (s *Swarm) handleAnswer(m *message) {
	peerID, ok := m.PeerID.id()
	if !ok {
		return
	}
	l, drop, why := s.answered(string(m.OfferID), peerID)
	if drop != nil {
		drop.finish(why)
	}
	if l == nil {
		return
	}
	s.t.spawn(func() {
		if err := l.answered(*m.Answer); err != nil {
			l.finish(err)
		}
	})
}

// answered turns an offer into a connection that is opening; it returns nil if there is no such
// offer or the connection is not wanted. It also returns a link that must end, if any, and why.
//
// Two peers may have answered each other's offers at the same time. Both sides then keep the
// connection that the one with the greater peer id offered.
func (s *Swarm) answered(offerID string, peerID [20]byte) (l, drop *link, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l = s.offers[offerID]
	if l == nil || !l.owned {
		return nil, nil, nil
	}
	rival := s.links[peerID]
	if rival != nil {
		stuck := rival.state == linkOpening && time.Since(rival.since) > s.t.times.stale
		glare := rival.state == linkOpening && rival.offerID == "" && bytes.Compare(s.cfg.PeerID[:], peerID[:]) > 0
		if !stuck && !glare {
			return nil, l, errUnwanted
		}
	}
	full := rival == nil && s.room() == 0
	if peerID == s.cfg.PeerID || full || time.Now().Before(s.refused[peerID].until) || !s.t.takeConn() {
		return nil, l, errUnwanted
	}
	delete(s.offers, offerID)
	s.t.giveOffers(1)
	l.timer.Stop()
	l.timer = time.AfterFunc(s.t.times.connect, func() { l.finish(errSlow) })
	l.state, l.peerID, l.since = linkOpening, peerID, time.Now()
	s.links[peerID] = l
	return l, rival, errReplaced
}
