// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5"
	bolt "go.etcd.io/bbolt"

	"shoal/instance/address"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Effect is what an activity does to the database, in one transaction. It may run more than once, each
// time from the start and in a transaction of its own of which only the last is kept. A nil Effect
// does nothing.
type Effect func(tx *store.Tx) error

// Incoming is an activity to give an effect.
type Incoming struct {
	Item     store.InboxItem
	Activity *vocab.Activity
	// Actor is who did it, whose signature was checked.
	Actor *store.Actor
}

// Handler finds the effect of an activity. It may fetch; the transaction comes afterwards.
type Handler interface {
	Handle(ctx context.Context, in Incoming) (Effect, error)
}

// Refusal is why an activity has no effect, now or later. It is kept for the administrator to read.
// Any other error of a Handler or an Effect is tried again.
type Refusal struct{ Reason string }

// Error is the reason.
func (r *Refusal) Error() string { return r.Reason }

// Enqueuer takes activities that are on their way out. A *delivery.Queue is one.
type Enqueuer interface {
	Enqueue(tx *bolt.Tx, m delivery.Message) error
}

// Signer signs activities as a local actor. An *author.Author is one.
type Signer interface {
	Sign(ctx context.Context, actorID string, activity any) ([]byte, error)
}

// Config is what an Inbox needs.
type Config struct {
	Store    *store.Store
	Verifier *httpsig.Verifier
	Suite    *ldsig.Suite
	Resolver *resolve.Resolver
	// Follows handles Follow, Accept, Reject and Undo of a Follow.
	Follows Handler
	Queue   Enqueuer
	Author  Signer
	Base    address.Base
	// ClientIP is the address of who asks. Default: the connection's.
	ClientIP func(*http.Request) netip.Addr
	Limits   Limits
	// Logger may be nil.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Limits bound what others can ask of the inbox. The zero value of each is its default. Rates and
// concurrency are those of hosts that this instance has nothing to do with. Those that follow it or are
// followed have four times as much, apart from the others. Of the room for what waits and of the
// workers strangers get half.
type Limits struct {
	// MaxBytes bounds a body. Default: 1 MiB. BodyTime is how long it may take to arrive. Default: 10 s.
	MaxBytes int64
	BodyTime time.Duration
	// Rate is how many requests a second are taken in all, after a burst. Defaults: 500, 2000.
	Rate, Burst int
	// HostRate and HostBurst are the same for one host. Defaults: 50, 500.
	HostRate, HostBurst int
	// Concurrent bounds the requests at once, HostConcurrent those of one host. Defaults: 128, 16. What
	// one address asks under many hosts' names is bounded by four times the rates of a host's, and by an
	// eighth of Concurrent.
	Concurrent, HostConcurrent int
	// MaxWaiting bounds the items on disk, MaxWaitingOf those of one party. Defaults: 100,000, 10,000.
	MaxWaiting, MaxWaitingOf int
	// MaxWaitingBytes and MaxWaitingBytesOf bound the same in bytes. Defaults: 1 GiB, 64 MiB.
	MaxWaitingBytes, MaxWaitingBytesOf int
	// Workers is how many parties' items are worked on at once. Default: 64.
	Workers int
	// Pause is the first pause before an item is tried again; each is three times longer, up to 4 h.
	// Default: 10 s. Lifetime is how long it is tried. Default: 48 h.
	Pause, Lifetime time.Duration
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		to    *int
		value int
	}{
		{&l.Rate, 500},
		{&l.Burst, 2000},
		{&l.HostRate, 50},
		{&l.HostBurst, 500},
		{&l.Concurrent, 128},
		{&l.HostConcurrent, 16},
		{&l.MaxWaiting, 100_000},
		{&l.MaxWaitingOf, 10_000},
		{&l.MaxWaitingBytes, 1 << 30},
		{&l.MaxWaitingBytesOf, 64 << 20},
		{&l.Workers, 64},
	} {
		if *d.to <= 0 {
			*d.to = d.value
		}
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{{&l.BodyTime, 10 * time.Second}, {&l.Pause, 10 * time.Second}, {&l.Lifetime, 48 * time.Hour}} {
		if *d.to <= 0 {
			*d.to = d.value
		}
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = vocab.MaxBytes
	}
	return l
}

// perClient are the limits for one address.
func perClient(l Limits) Limits {
	const hosts = 4
	l.HostRate, l.HostBurst, l.HostConcurrent = hosts*l.HostRate, hosts*l.HostBurst, max(l.HostConcurrent, l.Concurrent/8)
	return l
}

// forKnown are the limits for hosts that this instance has to do with.
func forKnown(l Limits) Limits {
	for _, n := range []*int{&l.Rate, &l.Burst, &l.HostRate, &l.HostBurst, &l.Concurrent, &l.HostConcurrent} {
		*n *= 4
	}
	return l
}

// gates bound what comes of one host, and what comes from one address.
type gates struct{ host, client *gate }

func newGates(l Limits) gates { return gates{newGate(l), newGate(perClient(l))} }

// Inbox receives activities. It is safe for concurrent use.
type Inbox struct {
	cfg   Config
	log   *slog.Logger
	knows knows
	// friends are the gates for hosts that this instance has to do with, strangers those for others.
	friends, strangers gates
	lines              *lines
	// unasked bounds videos that nobody here asked for, forwards what is passed on.
	unasked, forwards *limits
	viewers           *viewers
}

// New makes an Inbox.
func New(c Config) *Inbox {
	c.Limits = c.Limits.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ClientIP == nil {
		c.ClientIP = connectionIP
	}
	return &Inbox{
		cfg: c, log: c.Logger, friends: newGates(forKnown(c.Limits)), strangers: newGates(c.Limits),
		lines: newLines(max(c.Limits.Workers/2, 1)), unasked: newUnasked(), forwards: newForwards(), viewers: newViewers(),
	}
}

// connectionIP is the address at the other end of the connection.
func connectionIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// Routes adds POST /inbox and the inboxes of accounts and channels (ActivityPub §5.2, §7.1.3).
func (b *Inbox) Routes(r chi.Router) {
	r.Post("/inbox", b.receive(func(*http.Request) (string, bool) { return "", true }))
	r.Post("/accounts/{name}/inbox", b.receive(func(r *http.Request) (string, bool) {
		return b.local(b.cfg.Base.Account(chi.URLParam(r, "name")))
	}))
	r.Post("/video-channels/{name}/inbox", b.receive(func(r *http.Request) (string, bool) {
		return b.local(b.cfg.Base.Channel(chi.URLParam(r, "name")))
	}))
}

// local reports whether an id is one of a local actor.
func (b *Inbox) local(id string) (string, bool) { return id, b.cfg.Resolver.LocalActor(id) }

// Depth is how many items wait for their effect.
func (b *Inbox) Depth() int { return b.lines.depth() }
