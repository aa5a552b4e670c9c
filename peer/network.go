// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/tracker"

	"shoal/peer/webrtc"
)

// connect brings the swarm online, or adds what is new in its target to what runs already. The
// caller holds switching.
func (s *Swarm) connect() {
	s.mu.Lock()
	if s.ctx.Err() != nil || s.held {
		s.mu.Unlock()
		return
	}
	if s.network == nil {
		s.networkCtx, s.network = context.WithCancel(s.ctx)
		s.onlineSince = time.Now()
	}
	ctx, target := s.networkCtx, s.target
	plain := s.allows(SourceTCP) || s.allows(SourceUTP)
	if s.allows(SourceWebRTC) {
		s.joinWebRTC()
	}
	for _, url := range target.Trackers {
		if plain && !strings.HasPrefix(url, "ws") {
			s.announceTo(ctx, url)
		}
	}
	fetch := len(target.ExactSources) > 0 && !s.isReady() && !s.fetching
	s.fetching = s.fetching || fetch
	s.mu.Unlock()

	if plain {
		s.addPeersLocked(peerInfos(target.Peers, torrent.PeerSourceDirect))
	}
	if s.allows(SourceWebSeed) && s.store.inPlace == "" {
		s.chooseWebSeeds(time.Now())
	}
	if fetch {
		s.netWG.Go(func() {
			s.fetchMetadata(ctx, target.ExactSources)
			s.mu.Lock()
			s.fetching = false
			s.mu.Unlock()
		})
	}
}

// joinWebRTC joins, or adds trackers. The caller holds mu.
func (s *Swarm) joinWebRTC() {
	if s.rtc != nil {
		s.rtc.AddTrackers(s.target.Trackers)
		return
	}
	s.rtc = s.engine.transport.Join(webrtc.SwarmConfig{
		Infohash:   s.infohash,
		PeerID:     s.engine.client.PeerID(),
		Extensions: s.engine.extensions,
		Trackers:   s.target.Trackers,
		Progress:   s.progress,
	})
}

// announceTo starts announcing to a tracker that is not announced to. The caller holds mu.
func (s *Swarm) announceTo(ctx context.Context, url string) {
	if s.engine.Port() == 0 || slices.ContainsFunc(s.trackers, func(a *announcer) bool { return a.url == url }) {
		return
	}
	a := &announcer{
		url: url, client: s.engine.http, logger: s.engine.logger, request: s.announceRequest,
		proxied: s.engine.config.Proxied, on: s.engine.config.Interface, udp: "udp",
		pace: s.engine.seedPace,
		addPeers: func(res tracker.AnnounceResponse) {
			if s.loaded() == nil && res.Leechers == 0 && res.Seeders > 0 {
				return // seeds all of them
			}
			addrs := make([]string, 0, len(res.Peers))
			for _, p := range res.Peers {
				if p.IP != nil && p.Port > 0 && p.Port < 1<<16 {
					addrs = append(addrs, hostPort(p))
				}
			}
			if len(addrs) > 0 {
				s.mu.Lock()
				s.found = true
				s.mu.Unlock()
			}
			s.addPeers(peerInfos(addrs, torrent.PeerSourceTracker))
			if !s.store.complete() {
				s.wake() // where it is nobody, the WebSeeds are used
			}
		},
	}
	if s.engine.config.IPv4Only {
		a.udp = "udp4"
	}
	a.status = TrackerStatus{URL: url, Seeders: -1, Leechers: -1}
	s.trackers = append(s.trackers, a)
	a.start(ctx)
}

// peerInfos makes peers of IP addresses with a port. The client dials no host names.
func peerInfos(addrs []string, source torrent.PeerSource) []torrent.PeerInfo {
	peers := make([]torrent.PeerInfo, 0, len(addrs))
	for _, a := range addrs {
		if host, port, err := net.SplitHostPort(a); err == nil {
			if ip := net.ParseIP(host); ip == nil {
				continue // the engine dials addresses only
			}
			peers = append(peers, torrent.PeerInfo{Addr: torrent.StringAddr(net.JoinHostPort(host, port)), Source: source})
		}
	}
	return peers
}

// disconnect takes the swarm offline: trackers are told, connections dropped, requests cancelled.
// The caller holds switching.
func (s *Swarm) disconnect() {
	s.mu.Lock()
	end, rtc, trackers := s.network, s.rtc, s.trackers
	s.network, s.networkCtx, s.rtc, s.trackers = nil, nil, nil, nil
	s.webSeeding, s.webSeeds, s.found = false, nil, false
	s.mu.Unlock()
	if end != nil {
		end()
	}
	for _, a := range trackers {
		s.netWG.Go(a.leave)
	}
	if t := s.loaded(); t != nil {
		t.SetMaxEstablishedConns(0)
		t.DisallowDataDownload()
		t.RemoveWebSeeds()
	}
	if rtc != nil {
		if err := rtc.Close(); err != nil {
			s.engine.logger.Debug("leaving the WebRTC swarm failed", "error", err)
		}
	}
}

// Pause drops every connection and fetches nothing until Resume.
func (s *Swarm) Pause() {
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	was := s.paused
	s.paused = true
	s.mu.Unlock()
	if !was {
		s.disconnect()
	}
}

// Resume takes up work again, after Pause or after a problem such as a full disk.
func (s *Swarm) Resume() {
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	if !s.paused && !s.halted {
		s.mu.Unlock()
		return
	}
	s.paused, s.halted = false, false
	s.resumedAt.Store(s.engine.ticks())
	s.problem = ""
	close(s.resumed)
	s.resumed = make(chan struct{})
	held := s.held
	s.mu.Unlock()
	if !held {
		s.reconnect()
	}
}

// reconnect undoes disconnect. The caller holds switching.
func (s *Swarm) reconnect() {
	s.mu.Lock()
	fetches := s.store.inPlace == "" && !s.halted
	s.mu.Unlock()
	if t := s.loaded(); t != nil {
		t.SetMaxEstablishedConns(s.engine.Limits().ConnectionsPerSwarm)
		if fetches {
			t.AllowDataDownload()
		}
		t.RemoveWebSeeds() // added again, those that failed are tried at once
	}
	s.mu.Lock()
	s.webSeeding, s.webSeeds = false, nil
	s.mu.Unlock()
	s.connect()
	s.wake()
}

// Paused reports whether the swarm is paused.
func (s *Swarm) Paused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

// storageFailed is called by the client when a chunk could not be written.
func (s *Swarm) storageFailed(err error) {
	s.switching.Lock()
	defer s.switching.Unlock()
	if s.ctx.Err() != nil || s.store.failedAt.Load() < s.resumedAt.Load() {
		return // a chunk from before Resume
	}
	s.mu.Lock()
	first := !s.halted
	s.halted = true
	s.problem = storageProblem(s.store.dir, err)
	if first {
		s.retry.failed(&s.engine.config.times)
	}
	s.mu.Unlock()
	if first {
		s.engine.logger.Warn("fetching stopped", "infohash", s.infohash.HexString(), "error", err)
	}
	if t := s.loaded(); t != nil {
		t.DisallowDataDownload()
	}
}

// Leave leaves the swarm. With deleteFiles the files that Join fetched are deleted too; a file
// that is seeded in place is never deleted. Streams of the swarm fail from then on.
func (s *Swarm) Leave(ctx context.Context, deleteFiles bool) error {
	s.leaving.Do(func() {
		s.engine.countOpen(s)
		s.switching.Lock()
		s.cancel(ErrLeft)
		s.disconnect()
		s.switching.Unlock()
		s.tending.Stop()
		waitFor(ctx, s.tending)
		waitFor(ctx, &s.netWG)
		waitFor(ctx, &s.wg)
		err := s.store.checkpoint()
		if t := s.loaded(); t != nil {
			t.Drop()
		} else if cerr := s.store.close(); cerr != nil {
			err = errors.Join(err, cerr)
		}
		s.engine.swarms.Delete(s.infohash)
		s.engine.hold(s, false)
		s.engine.countClosed()
		if err != nil {
			s.engine.logger.Warn("syncing to the disk failed", "infohash", s.infohash.HexString(), "error", err)
		}
	})
	if !deleteFiles {
		return nil
	}
	if err := s.store.deleteFiles(); err != nil {
		return err
	}
	return s.engine.pieces.forget(s.infohash)
}

// waitFor waits for a group, or until ctx ends.
func waitFor(ctx context.Context, wg interface{ Wait() }) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	case <-time.After(closeTimeout):
	}
}
