// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Hash is a v1 infohash.
type Hash = [20]byte

// Defaults of Config. The intervals are PeerTube's.
const (
	DefaultSocketInterval = 120 * time.Second
	DefaultHTTPInterval   = 600 * time.Second
	DefaultPeerTTL        = 20 * time.Minute
	DefaultHangTimeout    = 10 * time.Second
	DefaultSilentTimeout  = time.Minute
	DefaultMaxMessage     = 256 << 10
	DefaultMaxQueue       = 1 << 20
	DefaultMaxHeld        = 64 << 20
	DefaultMaxConns       = 50_000
	DefaultMaxPerIP       = 512
	DefaultMaxSwarms      = 2048
	DefaultMaxHTTPPerIP   = 2048
	DefaultMaxHTTPPeers   = 200_000
)

// Config is what a Tracker needs. Zero numbers take the defaults, a negative MaxPerIP or MaxHTTPPerIP
// means no bound.
type Config struct {
	// Known reports whether an infohash is tracked. It is called on every announce and must be fast
	// and safe for concurrent use. Nil knows none.
	Known func(Hash) bool
	// ClientIP finds the address of the client behind a request; nil takes RemoteAddr.
	ClientIP func(*http.Request) netip.Addr
	// SocketInterval and HTTPInterval are the announce intervals told to clients.
	SocketInterval, HTTPInterval time.Duration
	// PeerTTL is how long a peer is kept after its last announce.
	PeerTTL time.Duration
	// HangTimeout is how long a client may take over one message, in or out.
	HangTimeout time.Duration
	// SilentTimeout is how long a connection may be open before it announces.
	SilentTimeout time.Duration
	// MaxMessage bounds one WebSocket message, in bytes.
	MaxMessage int64
	// MaxQueue bounds the bytes that wait for one connection; a slower reader is dropped.
	MaxQueue int
	// MaxHeld bounds the bytes of all unfinished messages, and those of all that wait for slow readers;
	// the next connection that holds much is dropped.
	MaxHeld int64
	// MaxConns bounds all WebSocket connections.
	MaxConns int
	// MaxPerIP bounds the WebSocket connections of one address (one /64 of IPv6).
	MaxPerIP int
	// MaxSwarms bounds the swarms of one connection, and MaxHTTPPerIP, in the same way, the peers of one
	// address that announce over HTTP: a program that co-seeds is one in each of its swarms.
	MaxSwarms, MaxHTTPPerIP int
	// MaxHTTPPeers bounds all peers that announce over HTTP.
	MaxHTTPPeers int
	// Logger gets refusals at debug level; nil discards them.
	Logger *slog.Logger
}

// Tracker keeps who is in which swarm. Its methods are safe for concurrent use.
type Tracker struct {
	cfg    Config
	log    *slog.Logger
	shards [shardCount]shard

	wsPerIP, httpPerIP ipCounter
	heldIn, heldOut    atomic.Int64 // bytes of unfinished messages, and of those that wait
	workers            sync.Pool    // *worker, of links with a goroutine each
	outs               sync.Pool    // *outBuffer
	loops              []*loop
	next               atomic.Uint32 // loop

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool

	done chan struct{}
	wg   sync.WaitGroup
}

// New starts a tracker. Close it to stop its goroutines.
func New(cfg Config) *Tracker {
	defaults(&cfg)
	t := &Tracker{cfg: cfg, log: cfg.Logger, conns: map[*conn]struct{}{}, done: make(chan struct{})}
	for i := range t.shards {
		t.shards[i].swarms = map[Hash]*swarm{}
	}
	t.wsPerIP.init(cfg.MaxPerIP, cfg.MaxConns)
	t.httpPerIP.init(cfg.MaxHTTPPerIP, cfg.MaxHTTPPeers)
	t.workers.New = func() any { return newWorker() }
	t.outs.New = func() any { return new(outBuffer) }
	t.startLoops()
	t.wg.Go(t.sweepLoop)
	return t
}

func defaults(cfg *Config) {
	set(&cfg.SocketInterval, DefaultSocketInterval)
	set(&cfg.HTTPInterval, DefaultHTTPInterval)
	set(&cfg.PeerTTL, DefaultPeerTTL)
	set(&cfg.HangTimeout, DefaultHangTimeout)
	set(&cfg.SilentTimeout, DefaultSilentTimeout)
	set(&cfg.MaxMessage, DefaultMaxMessage)
	set(&cfg.MaxQueue, DefaultMaxQueue)
	set(&cfg.MaxHeld, DefaultMaxHeld)
	set(&cfg.MaxConns, DefaultMaxConns)
	set(&cfg.MaxPerIP, DefaultMaxPerIP)
	set(&cfg.MaxSwarms, DefaultMaxSwarms)
	set(&cfg.MaxHTTPPerIP, DefaultMaxHTTPPerIP)
	set(&cfg.MaxHTTPPeers, DefaultMaxHTTPPeers)
	if cfg.Known == nil {
		cfg.Known = func(Hash) bool { return false }
	}
	if cfg.ClientIP == nil {
		cfg.ClientIP = remoteIP
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
}

func set[T comparable](p *T, def T) {
	var zero T
	if *p == zero {
		*p = def
	}
}

func remoteIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// Stats are the figures of one swarm.
type Stats struct {
	Seeders  int `json:"seeders"`
	Leechers int `json:"leechers"`
	// Downloads counts the peers that completed, at least the present seeders.
	Downloads int `json:"downloads"`
}

// Stats returns the figures of a swarm, zeros for one without peers.
func (t *Tracker) Stats(h Hash) Stats {
	sh := t.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.swarms[h].stats()
}

// Conns is the number of open WebSocket connections.
func (t *Tracker) Conns() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns)
}

// Close drops every connection and peer and waits for the goroutines.
func (t *Tracker) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		t.wg.Wait()
		return nil
	}
	t.closed = true
	close(t.done)
	open := make([]*conn, 0, len(t.conns))
	for c := range t.conns {
		open = append(open, c)
	}
	t.mu.Unlock()
	for _, c := range open {
		c.drop()
	}
	t.stopLoops()
	t.wg.Wait()
	return nil
}

// sweepLoop forgets peers that stopped announcing and drops connections that hang.
func (t *Tracker) sweepLoop() {
	every := min(t.cfg.PeerTTL/4, t.cfg.HangTimeout/2)
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	next := time.Now()
	for {
		select {
		case <-t.done:
			return
		case now := <-tick.C:
			t.dropHanging(now)
			if now.Before(next) {
				continue
			}
			next = now.Add(min(t.cfg.PeerTTL/4, time.Minute))
			for i := range t.shards {
				t.sweepShard(&t.shards[i], now.Add(-t.cfg.PeerTTL).Unix())
			}
		}
	}
}

func (t *Tracker) sweepShard(sh *shard, before int64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for h, s := range sh.swarms {
		for _, p := range s.peers {
			if p.wsSeen < before {
				s.dropConn(p)
			}
			if p.atSeen < before {
				s.dropAddr(p, &t.httpPerIP)
			}
		}
		if len(s.peers) == 0 && (s.completed == 0 || !t.cfg.Known(h)) {
			delete(sh.swarms, h)
		}
	}
}

// dropHanging closes connections that said nothing for the peers' lifetime, that never announced,
// that leave a message unfinished, or whose reader does not take what is sent.
func (t *Tracker) dropHanging(now time.Time) {
	before := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	idle, silent, hang := before(t.cfg.PeerTTL), before(t.cfg.SilentTimeout), before(t.cfg.HangTimeout)
	since := func(v int64) bool { return v != 0 && v < hang }
	t.mu.Lock()
	var hanging []*conn
	for c := range t.conns {
		heard := c.heard.Load()
		if heard < idle || (heard < silent && !c.joined.Load()) || since(c.unfinished.Load()) || since(c.stuck.Load()) {
			hanging = append(hanging, c)
		}
	}
	t.mu.Unlock()
	for _, c := range hanging {
		c.drop()
	}
}
