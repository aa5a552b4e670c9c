// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/metainfo"
	"golang.org/x/time/rate"

	"shoal/peer/bound"
	"shoal/peer/portmap"
	"shoal/peer/webrtc"
)

const (
	userAgent        = "Shoal"
	defaultReadAhead = 16 << 20
	pollInterval     = 500 * time.Millisecond
	dormantPolls     = 120 // of them one looks at a swarm that does nothing
	tidyInterval     = 5 * time.Second
	checkpointEvery  = 6 // tidyings
	idleFile         = 30 * time.Second
	closeTimeout     = 8 * time.Second
)

// ErrClosed says that the engine is closed.
var ErrClosed = errors.New("the torrent engine is closed")

// Config is what an Engine needs to start.
type Config struct {
	Dir            string        // files of joined swarms
	PiecesDB       string        // which pieces are verified; may be deleted at any time
	ListenHost     string        // IP address for TCP and µTP; empty: all
	Port           int           // TCP and µTP port; 0 picks one
	Sources        Sources       // what may carry payload; empty: all
	WebRTC         webrtc.Config // the transport's settings
	ReadAhead      int64         // bytes a stream fetches ahead of its playhead; 0: 16 MiB
	Limits         Limits        // to begin with; see SetLimits
	Memory         int64         // bytes of memory to stay under where that can be done; 0: no limit
	DHT            bool          // find peers by the DHT too (BEP 5); needs µTP
	IPv4Only       bool          // neither listen nor dial by IPv6, for anything
	PortForwarding bool          // ask the router to let peers in; SetPortForwarding changes it
	Logger         *slog.Logger  // nil: nothing is logged

	// DialContext dials for HTTP: WebSeeds, trackers other than UDP ones, and .torrent files. Nil: a
	// plain dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy chooses the proxy (socks5, http or https) of a request by HTTP or WebSocket, nil for none;
	// with an error the request is refused. The proxy looks names up. Nil: the environment's proxies.
	Proxy func(*http.Request) (*url.URL, error)
	// Interface is the network interface that all peer traffic goes through. While one is set µTP and
	// the DHT are off, for their socket cannot be kept to it. DialContext must keep to it by itself.
	Interface bound.Interface
	// Proxied tells whether a proxy is set. UDP trackers are not announced to then, for no proxy
	// carries that. Nil: never.
	Proxied func() bool

	writable  func(path string) error    // fails writes, for tests
	times     timings                    // shortened by tests
	now       func() time.Time           // the clock, for tests
	addresses func() ([]net.Addr, error) // of this machine, for tests
	gateway   func() (portmap.Gateway, error)
	dhtNodes  dht.StartingNodesGetter // for tests; nil: the well-known ones
}

// Engine is the torrent engine. There is one in a process.
type Engine struct {
	config     Config
	logger     *slog.Logger
	sources    Sources
	client     *torrent.Client
	transport  *webrtc.Transport // nil where WebRTC is off
	pieces     *piecesDB
	http       *http.Client
	port       int
	extensions [8]byte // handshake bits of the client (BEP 10)

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // the engine's own goroutines

	swarms  sync.Map                 // metainfo.Hash -> *Swarm; read in callbacks
	held    atomic.Pointer[[]*Swarm] // those that have entered, oldest first; what it points to never changes
	holding sync.Mutex               // one change of held at a time
	joining sync.Mutex
	closed  bool // under joining
	serial  atomic.Int64

	conns    connTable
	changes  changes      // of the network
	watching atomic.Int32 // streams that are open, of all swarms
	limiting sync.Mutex   // one SetLimits at a time
	limits   atomic.Pointer[Limits]
	upload   *rate.Limiter
	download *rate.Limiter
	dials    *gate // connections being opened
	files    *fileCache
	seen     [2]seen // of TCP and µTP
	mapper   *portmap.Mapper
	mapping  sync.Once     // the mapper runs
	seedPace *rate.Limiter // see announcer
	doors    []*door
	dht      []*dht.Server

	opened  chan struct{} // closed when all ports are open
	closing sync.Once
	closeCh chan struct{} // closed when Close is done
	err     error
}

// New starts an engine. Close it, or let Serve do that. An error says in one sentence what is in
// the way: a port that is taken, a folder that cannot be written to.
func New(config Config) (*Engine, error) {
	e := &Engine{config: config, logger: config.Logger, opened: make(chan struct{}), closeCh: make(chan struct{})}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if e.config.ReadAhead <= 0 {
		e.config.ReadAhead = defaultReadAhead
	}
	e.config.times = e.config.times.orDefaults()
	limits := config.Limits.withDefaults()
	e.limits.Store(&limits)
	e.upload, e.download = rateLimiter(uploadBurst(limits.Upload)), rateLimiter(downloadBurst)
	e.setRates(limits)
	e.seedPace = rate.NewLimiter(seedsPerSecond, seedsAtOnce)
	e.dials, e.files = newGate(limits.HalfOpen), newFileCache(limits.OpenFiles)
	if err := e.chooseSources(); err != nil {
		return nil, err
	}
	if err := checkWritable(config.Dir); err != nil {
		return nil, err
	}
	if e.config.Interface.On() && e.config.addresses == nil {
		e.config.addresses = e.boundAddresses // the others do not matter
	}
	e.changes.began = time.Now()
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.http = &http.Client{Transport: e.config.newHTTPTransport(), CheckRedirect: limitRedirects}
	if e.config.WebRTC.HTTPClient == nil && (config.DialContext != nil || config.Proxy != nil || config.Interface.On() || config.IPv4Only) {
		sockets := e.config.newHTTPTransport()
		sockets.MaxConnsPerHost = 0 // a tracker's sockets stay open, one a swarm
		e.config.WebRTC.HTTPClient = &http.Client{Transport: sockets, CheckRedirect: limitRedirects}
	}
	e.mapper = portmap.New(portmap.Config{Logger: e.logger, Gateway: config.gateway})
	var err error
	if e.pieces, err = openPieces(config.PiecesDB); err != nil {
		e.cancel()
		return nil, err
	}
	if err := e.start(); err != nil {
		e.cancel()
		return nil, errors.Join(err, e.pieces.Close())
	}
	e.wg.Go(e.poll)
	e.wg.Go(e.tidy)
	e.wg.Go(e.watchFiles)
	e.wg.Go(e.watchNetwork)
	if len(e.client.DhtServers()) > 0 {
		e.wg.Go(e.announceDHT)
	}
	e.SetPortForwarding(e.config.PortForwarding)
	return e, nil
}

func (e *Engine) chooseSources() error {
	if err := e.config.Interface.Check(); err != nil {
		return err
	}
	e.sources = slices.Clone(e.config.Sources)
	if len(e.sources) == 0 {
		e.sources = AllSources()
	}
	if e.sources.Has(SourceUTP) && !haveUTP {
		if len(e.sources) == 1 {
			return errors.New("this program was built without cgo, so it does not speak µTP: choose another source")
		}
		e.logger.Warn("uTP is off: this program was built without cgo")
		e.sources = slices.DeleteFunc(e.sources, func(s Source) bool { return s == SourceUTP })
	}
	if e.sources.Has(SourceUTP) && e.config.Interface.On() {
		if len(e.sources) == 1 {
			return errors.New("µTP cannot be kept to a network interface: choose another source, or take the interface out of the settings")
		}
		e.logger.Warn("uTP is off: it cannot be kept to a network interface")
		e.sources = slices.DeleteFunc(e.sources, func(s Source) bool { return s == SourceUTP })
	}
	return nil
}

// start opens the ports.
func (e *Engine) start() (err error) {
	defer close(e.opened)
	config := e.clientConfig()
	e.extensions = config.Extensions
	client, err := torrent.NewClient(config)
	if err != nil {
		return fmt.Errorf("starting the torrent engine: %w", err)
	}
	e.client = client
	if err := e.openDoors(); err != nil {
		if isAddressInUse(err) {
			err = fmt.Errorf("port %d is taken by another program: choose another port, or 0 to have one picked: %w", e.config.Port, err)
		}
		return errors.Join(err, e.closeClient())
	}
	if e.config.Interface.On() {
		e.onNetworkChange(func() { e.wg.Go(e.reopen) })
	}
	if e.sources.Has(SourceTCP) || e.sources.Has(SourceUTP) {
		e.port = client.LocalPort()
	}
	if !e.sources.Has(SourceWebRTC) {
		return nil
	}
	c := e.config.WebRTC
	limits := e.Limits()
	c.MaxConns, c.MaxConnsPerSwarm = limits.webRTC()
	c.MaxOpening = limits.HalfOpen
	c.Logger = cmp.Or(c.Logger, e.logger)
	c.Mapped = e.mappedICE
	c.Interface, c.IPv4Only = e.config.Interface, e.config.IPv4Only
	if e.transport, err = webrtc.New(c); err != nil {
		if isAddressInUse(err) {
			err = fmt.Errorf("UDP port %d is taken by another program: choose another port for WebRTC, or 0 to have one picked: %w", c.UDPPort, err)
		} else {
			err = fmt.Errorf("starting WebRTC: %w", err)
		}
		return errors.Join(err, e.closeClient())
	}
	client.AddListener(e.transport.Listener())
	return nil
}

// Serve runs until ctx ends, then closes the engine.
func (e *Engine) Serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-e.ctx.Done():
	}
	return e.Close()
}

// Close leaves all swarms, keeping their files, and frees every port. Trackers are told, which
// takes no more than a few seconds.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		defer close(e.closeCh)
		e.joining.Lock()
		e.closed = true
		e.joining.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		var mu sync.Mutex
		var errs []error
		var wg sync.WaitGroup
		for _, s := range e.Swarms() {
			wg.Go(func() {
				err := s.Leave(ctx, false)
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			})
		}
		wg.Wait()
		e.cancel()
		if e.transport != nil {
			errs = append(errs, e.transport.Close())
		}
		errs = append(errs, e.closeClient())
		e.wg.Wait()
		e.http.CloseIdleConnections()
		errs = append(errs, e.pieces.Close())
		e.err = errors.Join(errs...)
	})
	<-e.closeCh
	return e.err
}

// Port returns the TCP and µTP port, 0 where neither is open.
func (e *Engine) Port() int { return e.port }

// WebRTCPort returns the UDP port of all WebRTC connections, 0 where WebRTC is off.
func (e *Engine) WebRTCPort() int {
	if e.transport == nil {
		return 0
	}
	return e.transport.Port()
}

// Sources returns what may carry payload: the configured sources without those that this build
// does not have.
func (e *Engine) Sources() Sources { return slices.Clone(e.sources) }

// Swarms returns the swarms held, oldest first.
func (e *Engine) Swarms() []*Swarm { return slices.Clone(e.all()) }

// all is Swarms for reading alone.
func (e *Engine) all() []*Swarm {
	if list := e.held.Load(); list != nil {
		return *list
	}
	return nil
}

// hold puts a swarm into the list, or takes it out.
func (e *Engine) hold(s *Swarm, held bool) {
	e.holding.Lock()
	defer e.holding.Unlock()
	list := e.all()
	if held {
		list = append(list, s) // who reads the list sees no more of it than there was
	} else {
		list = slices.DeleteFunc(slices.Clone(list), func(o *Swarm) bool { return o == s })
	}
	e.held.Store(&list)
}

// Swarm returns the swarm with that infohash.
func (e *Engine) Swarm(h metainfo.Hash) (*Swarm, bool) {
	s, ok := e.entering(h)
	if !ok || !s.entered.Load() {
		return nil, false
	}
	return s, true
}

// entering is Swarm for the client's callbacks, which may come before a swarm is fully entered.
func (e *Engine) entering(h metainfo.Hash) (*Swarm, bool) {
	s, ok := e.swarms.Load(h)
	if !ok {
		return nil, false
	}
	return s.(*Swarm), true
}

// poll keeps the figures of all swarms. It is the one place that asks the engine for them.
func (e *Engine) poll() {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-e.ctx.Done():
			return
		case <-ticker.C:
		}
		e.countClosed()
		e.countAll()
		now := time.Now()
		for _, s := range e.all() {
			if s.loaded() == nil {
				continue
			}
			// What does nothing is looked at once a minute, each swarm in its turn.
			dormant := s.dormant()
			if !dormant {
				s.needed.Store(e.ticks())
			}
			if dormant && s.doze() {
				continue
			}
			if !dormant || (n+int(s.serial))%dormantPolls == 0 {
				s.poll(now)
			}
		}
	}
}

// tidy closes files that are idle and syncs what was written. It is apart from poll, which must not
// wait for a slow disk.
func (e *Engine) tidy() {
	ticker := time.NewTicker(tidyInterval)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-e.ctx.Done():
			return
		case <-ticker.C:
		}
		e.files.closeIdle(time.Now().Add(-idleFile))
		if n%checkpointEvery != 0 {
			continue
		}
		for _, s := range e.all() {
			if err := s.store.checkpoint(); err != nil {
				e.logger.Warn("syncing to the disk failed", "infohash", s.infohash.HexString(), "error", err)
			}
		}
	}
}
