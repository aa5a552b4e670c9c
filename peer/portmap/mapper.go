// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Method is a way to ask a router.
type Method string

// The ways, in the order they are tried.
const (
	PCP    Method = "pcp"
	NATPMP Method = "natpmp"
	UPnP   Method = "upnp"
)

// Protocol is that of a port.
type Protocol string

// The protocols that routers map.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// Port is a port of this machine.
type Port struct {
	Protocol Protocol
	Number   int
}

// Mapping is what the router lets in.
type Mapping struct {
	Port     Port
	External netip.AddrPort // the address is invalid where the router does not tell it
	Method   Method
	Expires  time.Time
	renew    time.Time // long before
}

// Gateway is the router, and this machine's address on the way to it.
type Gateway struct{ Router, Local netip.Addr }

// ErrNoRouter says that no router on the way answers.
var ErrNoRouter = errors.New("the router answers neither PCP, NAT-PMP nor UPnP")

// Config configures a Mapper. The zero value works.
type Config struct {
	// Gateway finds the router; nil reads the system's routes.
	Gateway func() (Gateway, error)
	// Name is how the router lists the mappings.
	Name   string
	Logger *slog.Logger // nil: silent
}

// Mapper keeps ports mapped while it runs.
type Mapper struct {
	cfg   Config
	times timings
	ports servicePorts
	kick  chan struct{} // buffered, 1

	mu     sync.Mutex
	wanted []Port
	mapped map[Port]Mapping
	err    error
	passed chan struct{} // closed and replaced when a pass ends
}

// servicePorts are where a router listens; tests have others.
type servicePorts struct {
	pcp  int
	ssdp netip.AddrPort
}

type timings struct {
	lease    time.Duration // asked for
	look     time.Duration // between looks at whether the network changed
	retry    time.Duration // after a failure; it doubles
	retryMax time.Duration
	answer   time.Duration // the first wait for a UDP answer; it doubles
	tries    int
	search   time.Duration // for UPnP devices
	call     time.Duration // one HTTP request
	leave    time.Duration // taking the mappings away at the end
}

func defaultTimings() timings {
	return timings{
		lease: time.Hour, look: 15 * time.Second, retry: time.Minute, retryMax: 30 * time.Minute,
		answer: 250 * time.Millisecond, tries: 3, search: 2 * time.Second, call: 4 * time.Second, leave: 2 * time.Second,
	}
}

// New makes a Mapper that maps nothing until it runs.
func New(cfg Config) *Mapper {
	if cfg.Gateway == nil {
		cfg.Gateway = defaultGateway
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Name == "" {
		cfg.Name = "Shoal"
	}
	return &Mapper{
		cfg: cfg, times: defaultTimings(), kick: make(chan struct{}, 1), mapped: map[Port]Mapping{}, passed: make(chan struct{}),
		ports: servicePorts{pcp: 5351, ssdp: netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), 1900)},
	}
}

// Set says which ports are wanted, at most 16; those that are not wanted any more are taken away.
func (m *Mapper) Set(ports []Port) {
	m.mu.Lock()
	m.wanted = slices.Clone(ports[:min(len(ports), 16)])
	m.mu.Unlock()
	m.wake()
}

// Mapping returns what the router lets in to a port.
func (m *Mapper) Mapping(p Port) (Mapping, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	got, ok := m.mapped[p]
	return got, ok
}

// Err returns why ports are not mapped; nil where they are, or where nothing was tried.
func (m *Mapper) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Check has a running Mapper try now, and waits for that.
func (m *Mapper) Check(ctx context.Context) {
	m.mu.Lock()
	passed := m.passed
	m.mu.Unlock()
	m.wake()
	select {
	case <-passed:
	case <-ctx.Done():
	}
}

func (m *Mapper) wake() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// client speaks to one router by one method.
type client interface {
	method() Method
	// add maps a port, to the same number outside if that is to be had. It returns for how long.
	add(ctx context.Context, p Port, lease time.Duration) (netip.AddrPort, time.Duration, error)
	remove(ctx context.Context, p Port) error
}

// Run keeps the ports mapped until ctx ends, and takes them away then.
func (m *Mapper) Run(ctx context.Context) {
	r := &run{m: m, retry: m.times.retry, upnp: map[Port]int{}}
	for ctx.Err() == nil {
		wait := r.pass(ctx)
		m.mu.Lock()
		close(m.passed)
		m.passed = make(chan struct{})
		m.mu.Unlock()
		r.sleep(ctx, wait)
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.times.leave)
	defer cancel()
	m.mu.Lock()
	mapped := m.mapped
	m.mapped = map[Port]Mapping{}
	m.mu.Unlock()
	var wg sync.WaitGroup
	for p := range mapped {
		wg.Go(func() { r.remove(leaving, p) })
	}
	wg.Wait()
}

// run is the state of Run.
type run struct {
	m       *Mapper
	gateway Gateway
	client  client       // nil until a router has answered
	upnp    map[Port]int // ports outside that UPnP mapped on this router
	retry   time.Duration
	after   time.Time // no try before, unless somebody asks
	asked   bool
}

// sleep waits, and looks at times whether the network has changed.
func (r *run) sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	look := time.NewTicker(r.m.times.look)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.m.kick:
			r.asked = true
			return
		case <-timer.C:
			return
		case <-look.C:
			if g, err := r.m.cfg.Gateway(); err == nil && g != r.gateway {
				r.asked = true
				return
			}
		}
	}
}

// pass does what is due and returns when to come again.
func (r *run) pass(ctx context.Context) time.Duration {
	m := r.m
	m.mu.Lock()
	wanted := slices.Clone(m.wanted)
	m.mu.Unlock()
	if len(wanted) == 0 && r.client == nil {
		return m.times.retryMax
	}
	asked := r.asked
	r.asked = false
	if wait := time.Until(r.after); wait > 0 && !asked {
		return wait
	}
	err := r.work(ctx, wanted, asked)
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
	if err != nil {
		m.cfg.Logger.Debug("mapping ports failed", "error", err)
		r.client = nil // another way may do better
		wait := r.retry
		r.retry = min(2*r.retry, m.times.retryMax)
		r.after = time.Now().Add(wait)
		return wait
	}
	r.retry, r.after = m.times.retry, time.Time{}
	return r.next()
}

// next is the time until the first mapping is due.
func (r *run) next() time.Duration {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	wait := r.m.times.retryMax
	for _, got := range r.m.mapped {
		wait = min(wait, time.Until(got.renew))
	}
	return max(wait, 0)
}

func (r *run) work(ctx context.Context, wanted []Port, asked bool) error {
	gateway, err := r.m.cfg.Gateway()
	if err != nil {
		return fmt.Errorf("finding the router: %w", err)
	}
	if gateway != r.gateway {
		// What another router maps ends by itself.
		r.gateway, r.client, r.upnp = gateway, nil, map[Port]int{}
		r.m.mu.Lock()
		r.m.mapped = map[Port]Mapping{}
		r.m.mu.Unlock()
	}
	if r.client == nil {
		if r.client, err = r.m.discover(ctx, gateway, r.upnp); err != nil {
			r.drop(wanted)
			return err
		}
	}
	r.drop(wanted)
	var errs []error
	for _, p := range wanted {
		got, ok := r.m.Mapping(p)
		if ok && !asked && time.Until(got.renew) > 0 {
			continue
		}
		external, lease, err := r.client.add(ctx, p, r.m.times.lease)
		r.m.mu.Lock()
		if err == nil {
			lease = min(max(lease, r.m.times.lease/30), r.m.times.lease)
			now := time.Now()
			// It is renewed when half of its life is over, however long that is (RFC 6886 §3.3, RFC 6887 §11.2.1).
			r.m.mapped[p] = Mapping{Port: p, External: external, Method: r.client.method(), Expires: now.Add(lease), renew: now.Add(lease / 2)}
		} else {
			delete(r.m.mapped, p)
			errs = append(errs, fmt.Errorf("mapping %s port %d by %s: %w", p.Protocol, p.Number, r.client.method(), err))
		}
		r.m.mu.Unlock()
	}
	for p := range r.snapshot() {
		if !slices.Contains(wanted, p) {
			r.remove(ctx, p)
			r.m.mu.Lock()
			delete(r.m.mapped, p)
			r.m.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

// drop forgets mappings that have run out.
func (r *run) drop(wanted []Port) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, p := range wanted {
		if got, ok := r.m.mapped[p]; ok && time.Now().After(got.Expires) {
			delete(r.m.mapped, p)
		}
	}
}

func (r *run) snapshot() map[Port]Mapping {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	return maps.Clone(r.m.mapped)
}

func (r *run) remove(ctx context.Context, p Port) {
	if r.client == nil {
		return
	}
	if err := r.client.remove(ctx, p); err != nil {
		r.m.cfg.Logger.Debug("taking a mapping away failed", "port", p.Number, "error", err)
	}
}

// discover finds the first method that the router answers. upnp has the ports outside that UPnP mapped
// before.
func (m *Mapper) discover(ctx context.Context, g Gateway, upnp map[Port]int) (client, error) {
	if !g.Router.IsValid() || !g.Local.IsValid() || !(g.Router.IsPrivate() || g.Router.IsLinkLocalUnicast() || g.Router.IsLoopback() || shared().Contains(g.Router)) {
		return nil, fmt.Errorf("the router's address %s is not on a private network", g.Router)
	}
	u := &udpClient{router: netip.AddrPortFrom(g.Router, uint16(m.ports.pcp)), local: g.Local, times: m.times}
	if c, err := newPCP(ctx, u); err == nil {
		return c, nil
	}
	if c, err := newNATPMP(ctx, u); err == nil {
		return c, nil
	}
	c, err := newUPnP(ctx, m, g, upnp)
	if err != nil {
		m.cfg.Logger.Debug("no UPnP router", "error", err)
		return nil, ErrNoRouter
	}
	return c, nil
}

// shared is the address space between a provider and its customers (RFC 6598).
func shared() netip.Prefix { return netip.MustParsePrefix("100.64.0.0/10") }
