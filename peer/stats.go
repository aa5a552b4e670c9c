// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"
)

// Stats are the figures of one swarm. Rates and Uploaded are at most half a second old, the rest
// is of this moment.
type Stats struct {
	Infohash   string          `json:"infohash"`
	Name       string          `json:"name"`
	Bytes      int64           `json:"bytes"`     // size of the payload; 0 until the metadata is known
	Completed  int64           `json:"completed"` // bytes verified on disk
	Complete   bool            `json:"complete"`
	Paused     bool            `json:"paused"`
	Held       bool            `json:"held,omitempty"` // waits, for the network is metered and nobody watches
	Peers      Peers           `json:"peers"`
	Seeders    int             `json:"seeders"`    // as the trackers say; -1 unknown
	Leechers   int             `json:"leechers"`   // as the trackers say; -1 unknown
	Up         float64         `json:"up"`         // bytes per second
	Down       float64         `json:"down"`       // bytes per second
	Uploaded   Bytes           `json:"uploaded"`   // payload sent
	Downloaded Bytes           `json:"downloaded"` // verified payload
	Wasted     int64           `json:"wasted"`     // payload received twice, unasked, or failing its hash
	Trackers   []TrackerStatus `json:"trackers,omitempty"`
	Problem    string          `json:"problem,omitempty"` // the last thing a person should know
}

// TrackerStatus is what is known of one tracker.
type TrackerStatus struct {
	URL          string    `json:"url"`
	Connected    bool      `json:"connected"` // the last announce was answered, or the WebSocket is open
	Seeders      int       `json:"seeders"`   // -1 unknown
	Leechers     int       `json:"leechers"`  // -1 unknown
	LastAnnounce time.Time `json:"lastAnnounce,omitzero"`
	NextAnnounce time.Time `json:"nextAnnounce,omitzero"`
	Warning      string    `json:"warning,omitempty"`
	LastError    string    `json:"lastError,omitempty"`
}

// peerCounts counts connections by source; callbacks write it.
type peerCounts struct{ webrtc, tcp, utp atomic.Int64 }

func (p *peerCounts) add(s Source, n int64) {
	switch s {
	case SourceWebRTC:
		p.webrtc.Add(n)
	case SourceTCP:
		p.tcp.Add(n)
	case SourceUTP:
		p.utp.Add(n)
	case SourceWebSeed: // no connection of its own
	}
}

// sum is the connections of all sources.
func (p *peerCounts) sum() int64 { return p.webrtc.Load() + p.tcp.Load() + p.utp.Load() }

// rates is what poll works out.
type rates struct {
	at             time.Time
	received, sent int64
	peerBytes      int64 // of received, what came from no WebSeed
	up, down       float64
	fromPeers      float64 // of down, and quicker to follow: see webseeds.go
	unwanted       int64   // payload received that the client had no use for
	quiet          int     // polls in a row without a byte
	alone          int     // polls in a row without a peer
}

// dormant reports whether nothing has happened in the swarm since the last poll: nobody is connected,
// nothing is fetched, and the rates have come down.
func (s *Swarm) dormant() bool {
	r := s.rates.Load()
	return r != nil && r.up == 0 && r.down == 0 && r.quiet > 0 && !s.watched() &&
		s.peersBy.webrtc.Load()+s.peersBy.tcp.Load()+s.peersBy.utp.Load() == 0 &&
		s.store.total.Load() > 0 && s.store.completed.Load() == s.store.total.Load()
}

// poll asks the client for what it alone knows. Only the engine's one goroutine calls it.
func (s *Swarm) poll(now time.Time) {
	loaded := s.loaded()
	if loaded == nil {
		return
	}
	stats := loaded.Stats()
	t := s.tally.snapshot()
	next := &rates{
		at: now, received: t.received, sent: t.uploaded.Sum(), peerBytes: t.fromPeers,
		unwanted: unwantedIn(stats),
	}
	if last := s.rates.Load(); last != nil {
		if dt := now.Sub(last.at).Seconds(); dt > 0 {
			const weight = 0.3 // of the newest half second
			next.up = last.up + weight*(float64(next.sent-last.sent)/dt-last.up)
			next.down = last.down + weight*(float64(next.received-last.received)/dt-last.down)
			const quick = 0.6
			next.fromPeers = last.fromPeers + quick*(float64(next.peerBytes-last.peerBytes)/dt-last.fromPeers)
		}
		if next.up < 1 {
			next.up = 0
		}
		if next.down < 1 {
			next.down = 0
		}
	}
	if last := s.rates.Load(); last != nil && last.received == next.received {
		next.quiet = last.quiet + 1
	}
	if next.quiet%quietPolls == quietPolls-1 {
		s.nudge()
	}
	next.alone = s.alone()
	s.rates.Store(next)
	s.useWebSeeds()
}

// unwantedIn is how many bytes of payload the client had no use for.
func unwantedIn(stats torrent.TorrentStats) int64 {
	return stats.BytesReadData.Int64() - stats.BytesReadUsefulData.Int64()
}

// Stats returns the latest figures. It takes no lock that the client holds while it works.
func (s *Swarm) Stats() Stats {
	t := s.tally.snapshot()
	st := Stats{
		Infohash: s.infohash.HexString(),
		Name:     s.Name(),
		Bytes:    s.store.total.Load(), Completed: s.store.completed.Load(),
		Uploaded: t.uploaded, Downloaded: t.downloaded, Wasted: t.wasted,
		Peers: Peers{
			WebRTC: int(s.peersBy.webrtc.Load()), TCP: int(s.peersBy.tcp.Load()), UTP: int(s.peersBy.utp.Load()),
		},
	}
	st.Peers.WebSeed = s.webSeedsReady()
	st.Complete = st.Bytes > 0 && st.Completed == st.Bytes
	if r := s.rates.Load(); r != nil {
		st.Up, st.Down = r.up, r.down
		st.Wasted += r.unwanted
	}
	s.mu.Lock()
	st.Paused, st.Held, st.Problem = s.paused, s.held, cmp.Or(s.problem, s.spoiled)
	rtc, announcers := s.rtc, slices.Clone(s.trackers)
	s.mu.Unlock()
	for _, a := range announcers {
		st.Trackers = append(st.Trackers, a.Status())
	}
	if rtc != nil {
		for _, w := range rtc.Trackers() {
			st.Trackers = append(st.Trackers, TrackerStatus{
				URL: w.URL, Connected: w.Connected, Seeders: w.Seeders, Leechers: w.Leechers,
				LastAnnounce: w.LastAnnounce, NextAnnounce: w.NextAnnounce, Warning: w.Warning, LastError: w.LastError,
			})
		}
	}
	st.Seeders, st.Leechers = -1, -1
	for _, tr := range st.Trackers {
		if tr.LastError == "" && !tr.LastAnnounce.IsZero() {
			st.Seeders, st.Leechers = max(st.Seeders, tr.Seeders), max(st.Leechers, tr.Leechers)
		}
	}
	if err := s.openErr.Load(); err != nil {
		st.Problem = fmt.Sprintf("The video's files cannot be opened: %v.", *err)
	}
	if st.Problem == "" {
		st.Problem = trackerProblem(st)
	}
	return st
}

// trackerProblem tells of trackers only where no tracker answers and nobody is there.
func trackerProblem(st Stats) string {
	if st.Peers.Sum() > 0 || len(st.Trackers) == 0 || st.Paused || st.Held {
		return ""
	}
	for _, tr := range st.Trackers {
		if tr.LastError == "" {
			return ""
		}
	}
	return fmt.Sprintf("No tracker answers, so no peers are found (%s: %s).", st.Trackers[0].URL, st.Trackers[0].LastError)
}
