// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/metainfo"
)

// The DHT (BEP 5) is announced to by one goroutine that goes through the swarms, a few at a time. Nodes
// forget an announce after half an hour or so. A thousand seeds may take longer than that to go round:
// traffic stays bounded then, and each has its turn.
const (
	dhtAtOnce     = 4                // announces at once
	dhtKept       = 1                // of them, only for swarms that look for peers
	dhtLook       = time.Second      // between looks at the swarms
	dhtInterval   = 25 * time.Minute // between announces of a swarm
	dhtHurry      = 3 * time.Minute  // the same, of a swarm that looks for peers
	dhtSpread     = 0.2              // part of an interval that is added by chance, at most
	dhtPause      = 30 * time.Second // after a failure, for all swarms
	dhtSearch     = 40 * time.Second // for the nodes closest to the infohash
	dhtWhole      = dhtSearch + 10*time.Second
	dhtEnoughPeer = 10 // connections with which a swarm looks for no more
)

var (
	errNoDHTNode = errors.New("no node of the DHT answers")
	errOffline   = errors.New("the swarm takes no part now")
)

// dhtSwarm is a swarm to announce.
type dhtSwarm struct {
	infohash metainfo.Hash
	looking  bool // it wants peers, and soon
}

// dhtTurn is what is known of a swarm's announces.
type dhtTurn struct {
	last    time.Time // when the last one began
	spread  float64   // 0 to dhtSpread
	failed  bool
	running bool
	round   uint64 // the last in which the swarm was there
}

// due is when the swarm is announced again.
func (t *dhtTurn) due(looking bool) time.Time {
	after := dhtInterval
	switch {
	case t.last.IsZero():
		return t.last
	case t.failed:
		after = dhtPause
	case looking:
		after = dhtHurry
	}
	return t.last.Add(time.Duration(float64(after) * (1 + t.spread)))
}

// dhtAnnouncer decides who is announced when.
type dhtAnnouncer struct {
	swarms   func() []dhtSwarm                                 // that are to be announced now, in any order
	announce func(ctx context.Context, ih metainfo.Hash) error // bounded in time, and ends with ctx
	now      func() time.Time

	turns   map[metainfo.Hash]*dhtTurn
	running int
	round   uint64
	paused  time.Time // nothing begins before
	ended   chan dhtEnd
	renew   atomic.Bool // all are due, for our address has changed
}

type dhtEnd struct {
	infohash metainfo.Hash
	err      error
}

func newDHTAnnouncer(swarms func() []dhtSwarm, announce func(context.Context, metainfo.Hash) error, now func() time.Time) *dhtAnnouncer {
	return &dhtAnnouncer{
		swarms: swarms, announce: announce, now: now,
		turns: map[metainfo.Hash]*dhtTurn{}, ended: make(chan dhtEnd, dhtAtOnce), // nobody waits to say it
	}
}

// run announces until ctx ends. It looks at the swarms whenever tick has something, and when an announce
// has ended. It does not wait for those that run: one may be in a look-up of a name, which cannot be
// cancelled.
func (a *dhtAnnouncer) run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case end := <-a.ended:
			a.end(end)
		case <-tick:
		}
		a.begin(ctx)
	}
}

func (a *dhtAnnouncer) end(e dhtEnd) {
	a.running--
	t := a.turns[e.infohash]
	t.running = false
	t.failed = e.err != nil && !errors.Is(e.err, errOffline)
	if e.err != nil && !t.failed {
		t.last = time.Time{}
	}
	if t.failed {
		a.paused = a.now().Add(dhtPause)
	}
}

// begin starts what is due and has room: swarms that look for peers first, then those that wait longest.
func (a *dhtAnnouncer) begin(ctx context.Context) {
	if a.renew.Swap(false) {
		for _, t := range a.turns {
			t.last = time.Time{}
		}
	}
	now := a.now()
	if a.running >= dhtAtOnce || now.Before(a.paused) {
		return
	}
	a.round++
	var due []dhtSwarm
	for _, s := range a.swarms() {
		t := a.turns[s.infohash]
		if t == nil {
			t = &dhtTurn{}
			a.turns[s.infohash] = t
		}
		t.round = a.round
		if !t.running && !now.Before(t.due(s.looking)) {
			due = append(due, s)
		}
	}
	maps.DeleteFunc(a.turns, func(_ metainfo.Hash, t *dhtTurn) bool { return !t.running && t.round != a.round })
	slices.SortStableFunc(due, func(x, y dhtSwarm) int {
		if x.looking != y.looking {
			if x.looking {
				return -1
			}
			return 1
		}
		return a.turns[x.infohash].last.Compare(a.turns[y.infohash].last)
	})
	for _, s := range due {
		room := dhtAtOnce
		if !s.looking {
			room -= dhtKept
		}
		if a.running >= room || ctx.Err() != nil {
			return
		}
		t := a.turns[s.infohash]
		t.last, t.spread, t.running = now, rand.Float64()*dhtSpread, true
		a.running++
		go func() { a.ended <- dhtEnd{s.infohash, a.announce(ctx, s.infohash)} }()
	}
}

// announceDHT runs until the engine is closed.
func (e *Engine) announceDHT() {
	a := newDHTAnnouncer(e.dhtSwarms, e.announceToDHT, time.Now)
	e.onNetworkChange(func() { a.renew.Store(true) })
	ticker := time.NewTicker(dhtLook)
	defer ticker.Stop()
	a.run(e.ctx, ticker.C)
}

// dhtSwarms lists the swarms that are online, may use what the DHT finds, and are not private (BEP 27).
func (e *Engine) dhtSwarms() []dhtSwarm {
	var out []dhtSwarm
	for _, s := range e.all() {
		if !s.allows(SourceTCP) && !s.allows(SourceUTP) || s.isPrivate() {
			continue
		}
		s.mu.Lock()
		online := s.network != nil
		wants := s.download || len(s.streams) > 0 || !s.isReady()
		s.mu.Unlock()
		if online {
			looking := wants && !s.store.complete() && s.peersBy.sum() < dhtEnoughPeer
			out = append(out, dhtSwarm{s.infohash, looking})
		}
	}
	return out
}

// isPrivate reports whether peers may come from the trackers only (BEP 27). Until the metadata is known
// nobody can tell.
func (s *Swarm) isPrivate() bool {
	if !s.isReady() {
		return false
	}
	private := s.info.Private
	return private != nil && *private
}

// announceToDHT finds peers of a swarm, and tells the nodes closest to it of ours. It ends when the swarm
// goes offline.
func (e *Engine) announceToDHT(ctx context.Context, ih metainfo.Hash) error {
	s, ok := e.Swarm(ih)
	if !ok {
		return errOffline
	}
	s.mu.Lock()
	online := s.networkCtx
	s.mu.Unlock()
	if online == nil {
		return errOffline
	}
	ctx, cancel := context.WithTimeout(ctx, dhtWhole)
	defer cancel()
	defer context.AfterFunc(online, cancel)()
	servers := e.client.DhtServers() // of IPv4 and of IPv6
	answers := make(chan bool, len(servers))
	for _, server := range servers {
		go func() {
			w, ok := server.(torrent.AnacrolixDhtServerWrapper)
			answers <- ok && s.announceToNodes(ctx, w.Server)
		}()
	}
	answered := false
	for range servers {
		answered = <-answers || answered
	}
	switch {
	case online.Err() != nil:
		return errOffline
	case !answered:
		return errNoDHTNode
	}
	return nil
}

// announceToNodes reports whether a node has answered.
func (s *Swarm) announceToNodes(ctx context.Context, server *dht.Server) bool {
	a, err := server.AnnounceTraversal(s.infohash, dht.AnnouncePeer(dht.AnnouncePeerOpts{
		Port: s.engine.Port(), ImpliedPort: true, // µTP listens where the DHT does, behind a router too
	}))
	if err != nil {
		s.engine.logger.Debug("announcing to the DHT failed", "infohash", s.infohash.HexString(), "error", err)
		return false
	}
	defer a.Close()
	defer context.AfterFunc(ctx, a.Close)()
	enough := time.AfterFunc(dhtSearch, a.StopTraversing) // the closest nodes so far are told
	defer enough.Stop()
	answered := false
	for found := range a.Peers { // until the end: the traversal waits for its reader
		answered = true
		peers := make([]torrent.PeerInfo, 0, len(found.Peers))
		for _, p := range found.Peers {
			if p.Port != 0 {
				peers = append(peers, torrent.PeerInfo{Addr: torrent.StringAddr(p.UDP().String()), Source: torrent.PeerSourceDhtGetPeers})
			}
		}
		if ctx.Err() == nil {
			s.addPeers(peers)
		}
	}
	return answered
}
