// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"fmt"
	"time"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/metainfo"
)

// A swarm that is whole and that nobody asks for rests. It is announced as ever and its files are looked
// after, but the client has no torrent of it, since one takes memory for every piece: a thousand films
// took more than 400 MB to do nothing. A handshake, a stream, or a peer to dial brings the torrent back.

// maxDialing is how many times longer than others a swarm stays loaded that has peers to dial.
const maxDialing = 10

// loaded returns the client's torrent, nil while the swarm rests. A swarm that is fetched, watched or
// hashed never rests.
func (s *Swarm) loaded() *torrent.Torrent { return s.torrent.Load() }

// use has the client know the torrent until done is called.
func (s *Swarm) use() (t *torrent.Torrent, done func(), err error) {
	s.switching.Lock()
	defer s.switching.Unlock()
	if t, err = s.load(); err != nil {
		return nil, nil, err
	}
	s.users.Add(1)
	return t, func() {
		s.needed.Store(s.engine.ticks())
		s.users.Add(-1)
	}, nil
}

// load has the client know the torrent for a while. The caller holds switching.
func (s *Swarm) load() (*torrent.Torrent, error) {
	s.needed.Store(s.engine.ticks())
	if t := s.loaded(); t != nil {
		return t, nil
	}
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	s.mu.Lock()
	name, halted, offline := s.target.Name, s.halted, s.paused || s.held
	var info []byte
	if s.target.MetaInfo != nil {
		info = s.target.MetaInfo.InfoBytes
	}
	s.mu.Unlock()
	t, _ := s.engine.client.AddTorrentOpt(torrent.AddTorrentOpts{
		InfoHash:                 s.infohash,
		Storage:                  s.store,
		InfoBytes:                info,
		DisableInitialPieceCheck: true, // see Swarm.settleDoubts
	})
	if info != nil && t.Info() == nil {
		t.Drop()
		return nil, fmt.Errorf("opening the files: %w", s.openError())
	}
	t.SetDisplayName(name)
	t.SetOnWriteChunkError(s.storageFailed)
	if s.store.inPlace != "" || halted || offline {
		t.DisallowDataDownload() // somebody else's file is never written to
	}
	if s.giveNothing {
		t.DisallowDataUpload()
	}
	if offline {
		t.SetMaxEstablishedConns(0)
	} else {
		t.SetMaxEstablishedConns(s.engine.Limits().ConnectionsPerSwarm)
	}
	s.store.resting.Store(false)
	s.torrent.Store(t)
	return t, nil
}

// addPeers has the client dial peers.
func (s *Swarm) addPeers(peers []torrent.PeerInfo) {
	if len(peers) == 0 || !s.online() {
		return
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	s.addPeersLocked(peers)
}

func (s *Swarm) addPeersLocked(peers []torrent.PeerInfo) {
	if len(peers) == 0 {
		return
	}
	t, err := s.load()
	if err != nil {
		s.engine.logger.Debug("loading the torrent failed", "infohash", s.infohash.HexString(), "error", err)
		return
	}
	t.AddPeers(peers)
}

// greeted is called after each handshake, before the client looks for the torrent that it is about, and
// not under the client's lock.
func (e *Engine) greeted(_ *torrent.PeerConn, infohash metainfo.Hash) {
	s, ok := e.Swarm(infohash)
	if !ok || !s.online() {
		return
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	if _, err := s.load(); err != nil {
		e.logger.Debug("loading the torrent failed", "infohash", infohash.HexString(), "error", err)
	}
}

// secretKeys are the infohashes that an encrypted handshake may be about (MSE): the client knows only
// those of swarms that do not rest.
func (e *Engine) secretKeys(yield func([]byte) bool) {
	for _, s := range e.all() {
		if !yield(s.infohash[:]) {
			return
		}
		if second := s.second.Load(); second != nil && !yield(second[:]) {
			return
		}
	}
}

// doze lets the swarm rest if nothing has needed the torrent for a while, and reports whether it does.
// Only the engine's poll calls it.
func (s *Swarm) doze() bool {
	if s.unneededFor() < s.engine.config.times.rest || !s.switching.TryLock() {
		return false
	}
	defer s.switching.Unlock()
	t := s.loaded()
	if t == nil || !s.mayRest() {
		return t == nil
	}
	stats := t.Stats()
	if stats.PendingPeers+stats.HalfOpenPeers > 0 && s.unneededFor() < maxDialing*s.engine.config.times.rest {
		return false // they are dialed first
	}
	s.tally.waste(unwantedIn(stats))
	if last := s.rates.Load(); last != nil {
		next := *last
		next.unwanted = 0
		s.rates.Store(&next)
	}
	s.planning.Lock()
	s.ordered = nil
	s.planning.Unlock()
	s.store.resting.Store(true) // the client is not to close it
	s.torrent.Store(nil)
	t.Drop()
	return true
}

// mayRest is for doze.
func (s *Swarm) mayRest() bool {
	select {
	case <-s.settled:
	default:
		return false
	}
	if s.ctx.Err() != nil || s.users.Load() > 0 || !s.finished.Load() || !s.store.mayRest() {
		return false
	}
	// Again, for a handshake may have come before the lock was taken.
	return s.peersBy.sum() == 0 && s.unneededFor() >= s.engine.config.times.rest
}

// unneededFor is how long nothing has needed the torrent.
func (s *Swarm) unneededFor() time.Duration {
	return time.Duration(s.engine.ticks() - s.needed.Load())
}

// mayRest reports whether the payload is whole and nobody reads it. Hybrid torrents have a second
// infohash (BEP 52), by which only the client knows them.
func (s *store) mayRest() bool {
	return s.complete() && s.reading.Load() == 0 && !s.meta().HasV2()
}
