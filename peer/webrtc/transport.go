// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Transport is every WebRTC connection of one torrent client: one UDP port, one WebSocket for each
// tracker, any number of swarms.
type Transport struct {
	cfg    Config
	times  timings
	logger *slog.Logger
	client *http.Client

	ports    *ports
	identity identity
	listener *listener
	salt     [32]byte // makes synthetic addresses unguessable
	buffers  sync.Pool
	stun     silence
	met      met

	ctx    context.Context //nolint:containedctx // the Transport's own life, ended by Close
	cancel context.CancelFunc
	jobs   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	swarms   map[[20]byte]*Swarm
	trackers map[string]*tracker
	conns    int // open and being opened
	opening  int // being opened
	offers   int // waiting for an answer

	maxConns, maxOpening int
	maxConnsPerSwarm     atomic.Int64
	iceServers           atomic.Pointer[[]ICEServer]
}

// New opens the UDP port that all connections share.
func New(cfg Config) (*Transport, error) {
	return newTransport(cfg, defaultTimings())
}

func newTransport(cfg Config, times timings) (*Transport, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	t := &Transport{
		cfg:      cfg,
		times:    times,
		logger:   cfg.Logger,
		client:   cfg.HTTPClient,
		ctx:      ctx,
		cancel:   cancel,
		swarms:   make(map[[20]byte]*Swarm),
		trackers: make(map[string]*tracker),
	}
	t.SetMaxConns(cfg.MaxConns, cfg.MaxConnsPerSwarm, cfg.MaxOpening)
	t.SetICEServers(cfg.ICEServers)
	t.listener = newListener()
	t.buffers.New = func() any { b := make([]byte, readBufferSize); return &b }
	if _, err := rand.Read(t.salt[:]); err != nil {
		cancel()
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	var err error
	if t.ports, err = newPorts(cfg, t.logger); err != nil {
		cancel()
		return nil, err
	}
	return t, nil
}

// Listener hands out opened data channels, each a net.Conn, for torrent.Client.AddListener. It is
// closed by Close: close the torrent client first, for it accepts in a busy loop from a listener
// that is closed before it.
func (t *Transport) Listener() net.Listener { return t.listener }

// Port is the UDP port in use. More are open only while two peers meet in several swarms.
func (t *Transport) Port() int { return t.ports.current().mux.port }

// Join joins a swarm and announces it to its trackers. Joining a swarm that is joined already adds
// the trackers and returns the same Swarm. After Close it returns a Swarm that is closed.
func (t *Transport) Join(cfg SwarmConfig) *Swarm {
	t.mu.Lock()
	s, ok := t.swarms[cfg.Infohash]
	if !ok {
		s = newSwarm(t, cfg)
		if t.closed {
			s.cancel()
			t.mu.Unlock()
			return s
		}
		t.swarms[cfg.Infohash] = s
	}
	t.mu.Unlock()
	s.AddTrackers(cfg.Trackers)
	return s
}

// Close leaves all swarms, telling their trackers within a bounded time, and closes every
// connection, socket and the listener. No goroutine is left when it returns. It may be called
// more than once.
func (t *Transport) Close() error {
	t.mu.Lock()
	already := t.closed
	t.closed = true
	swarms := make([]*Swarm, 0, len(t.swarms))
	for _, s := range t.swarms {
		swarms = append(swarms, s)
	}
	t.mu.Unlock()
	if already {
		t.jobs.Wait()
		return nil
	}
	var leaving sync.WaitGroup
	errs := make([]error, len(swarms))
	for i, s := range swarms {
		leaving.Go(func() { errs[i] = s.Close() })
	}
	leaving.Wait()
	t.cancel()
	errs = append(errs, t.listener.Close())
	t.jobs.Wait()
	errs = append(errs, t.ports.close())
	return errors.Join(errs...)
}

// spawn runs a job that Close waits for.
func (t *Transport) spawn(job func()) { t.jobs.Go(job) }

// announceTo makes an announcer a member of a URL's tracker, opening its WebSocket if there is none. It
// does not when there are too many trackers or the Transport is closed.
func (t *Transport) announceTo(url string, a *announcer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	tr, ok := t.trackers[url]
	if !ok {
		if len(t.trackers) >= maxTrackers {
			t.logger.Warn("too many trackers", "url", url, "most", maxTrackers)
			return false
		}
		tr = newTracker(t, url)
		t.trackers[url] = tr
		t.spawn(tr.run)
	}
	tr.add(a)
	return true
}

// release removes a member from a tracker. After the last one the WebSocket stays open for a
// moment: a swarm that is joined again then announces after its "stopped", on the same connection,
// instead of having it overtaken on another.
func (t *Transport) release(tr *tracker, a *announcer) {
	if tr.remove(a) {
		time.AfterFunc(t.times.linger, func() { t.retire(tr) })
	}
}

// retire ends the WebSocket of a tracker that nobody needs.
func (t *Transport) retire(tr *tracker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr.empty() && t.trackers[tr.url] == tr {
		delete(t.trackers, tr.url)
		tr.stop()
	}
}

// forget removes a swarm that is being closed, so that it can be joined anew.
func (t *Transport) forget(s *Swarm) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.swarms[s.cfg.Infohash] == s {
		delete(t.swarms, s.cfg.Infohash)
	}
}

// SetMaxConns changes the bounds of Config on connections, for those that come from now on.
func (t *Transport) SetMaxConns(all, perSwarm, opening int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.maxConns, t.maxOpening = all, opening
	t.maxConnsPerSwarm.Store(int64(perSwarm))
}

// SetICEServers changes those of Config, for connections that come from now on.
func (t *Transport) SetICEServers(servers []ICEServer) {
	servers = slices.Clone(servers)
	t.iceServers.Store(&servers)
}

// takeConn takes one of the Transport's connections, which is being opened; false when all are in
// use.
func (t *Transport) takeConn() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.conns >= t.maxConns || t.opening >= t.maxOpening {
		return false
	}
	t.conns++
	t.opening++
	return true
}

// connOpened tells that a connection that was taken is open.
func (t *Transport) connOpened() {
	t.mu.Lock()
	t.opening--
	t.mu.Unlock()
}

// giveConn gives back a connection, which was still being opened or was open.
func (t *Transport) giveConn(opening bool) {
	t.mu.Lock()
	t.conns--
	if opening {
		t.opening--
	}
	t.mu.Unlock()
}

// takeOffers takes up to n places for unanswered offers and tells how many it got.
func (t *Transport) takeOffers(n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0
	}
	n = max(0, min(n, t.maxConns-t.conns, maxOffersInAll-t.offers))
	t.offers += n
	return n
}

func (t *Transport) giveOffers(n int) {
	t.mu.Lock()
	t.offers -= n
	t.mu.Unlock()
}

// timings are the Transport's times; tests shorten them.
type timings struct {
	offer       time.Duration // an offer without an answer is dropped after this
	connect     time.Duration // from answer to open data channel
	gather      time.Duration // gathering of candidates
	dial        time.Duration // opening of a WebSocket
	write       time.Duration // of one tracker message
	flush       time.Duration // telling a tracker that we leave
	linger      time.Duration // a WebSocket that no swarm needs stays open
	stale       time.Duration // a connection that is opening for so long gives way to another try
	ping        time.Duration // between WebSocket pings
	accept      time.Duration // the torrent client's time to accept a connection
	unwanted    time.Duration // a connection closed sooner was not wanted
	refuse      time.Duration // how long a peer that was not wanted is refused
	backoffMin  time.Duration // first pause before a reconnect
	backoffMax  time.Duration // longest pause before a reconnect
	intervalMin time.Duration // shortest interval that a tracker can ask for
	intervalMax time.Duration // longest; trackers forget a peer after 20 minutes
	interval    time.Duration // where the tracker names none
	quick       time.Duration // first pause before announcing again for want of peers
	failure     time.Duration // first pause after a "failure reason"
}

func defaultTimings() timings {
	return timings{
		offer:       50 * time.Second,
		connect:     20 * time.Second,
		gather:      3 * time.Second,
		dial:        15 * time.Second,
		write:       10 * time.Second,
		flush:       2 * time.Second,
		linger:      3 * time.Second,
		stale:       5 * time.Second,
		ping:        45 * time.Second,
		accept:      10 * time.Second,
		unwanted:    3 * time.Second,
		refuse:      time.Minute,
		backoffMin:  time.Second,
		backoffMax:  2 * time.Minute,
		intervalMin: 15 * time.Second,
		intervalMax: 15 * time.Minute,
		interval:    2 * time.Minute,
		quick:       5 * time.Second,
		failure:     time.Minute,
	}
}

// Bounds on what comes from the network or is kept for it.
const (
	maxTrackers         = 100       // WebSockets of one Transport
	maxTrackersPerSwarm = 20        //
	maxOffersInAll      = 100       // unanswered, of one Transport
	maxOffersPerSwarm   = 20        // unanswered, of one swarm
	maxTrackerMessage   = 256 << 10 // bytes
	maxSDP              = 32 << 10  // bytes of an offer or answer
	maxCandidates       = 32        // of an offer or answer, the rest is ignored
	maxURL              = 2 << 10   // bytes of a tracker's URL
	maxText             = 512       // bytes of a tracker's message to us that are kept
	maxRefused          = 1000      // peer ids refused for a while, of one swarm
)

// usable tells which tracker URLs this transport can use, in the order given.
func usable(urls []string) []string {
	var out []string
	for _, u := range urls {
		if isTrackerURL(u) && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}
