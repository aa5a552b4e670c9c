// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/assets/contexts"
	"shoal/instance/address"
	"shoal/instance/federation/author"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/endpoint"
	"shoal/instance/federation/fetch"
	"shoal/instance/federation/follow"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/inbox"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/outgoing"
	"shoal/instance/federation/resolve"
	"shoal/instance/store"
)

// Config is what a Federation needs.
type Config struct {
	Store *store.Store
	Base  address.Base
	// Dev allows http, ports, loopback and private addresses.
	Dev bool
	// Name is the instance's name for people, Version the program's.
	Name, Version string
	// VideoPage and ActorPage answer people who ask for a video or an actor with a browser.
	VideoPage, ActorPage http.Handler
	// ClientIP is the address of who asks; nil takes the connection's.
	ClientIP func(*http.Request) netip.Addr
	// Logger may be nil.
	Logger *slog.Logger
}

// Federation is an instance's side of the fediverse. It is safe for concurrent use.
type Federation struct {
	cfg      Config
	fetch    *fetch.Client
	queue    *delivery.Queue
	author   *author.Author
	resolver *resolve.Resolver
	follows  *follow.Service
	inbox    *inbox.Inbox
	outgoing *outgoing.Outgoing
	endpoint *endpoint.Endpoint
}

// New puts a Federation together on a store. Serve starts it.
func New(cfg Config) (*Federation, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	suite, err := ldsig.New(ldsig.Options{Contexts: contexts.Files()})
	if err != nil {
		return nil, fmt.Errorf("reading the JSON-LD contexts: %w", err)
	}
	f := &Federation{cfg: cfg, author: author.New(cfg.Store.Snapshot, cfg.Base, suite)}
	f.fetch = fetch.New(fetch.Options{
		Dev: cfg.Dev, UserAgent: fmt.Sprintf("Shoal/%s (+%s)", cfg.Version, cfg.Base), Logger: cfg.Logger,
		Sign: func(r *http.Request) error { return f.author.Request(r, cfg.Base.Actor(), nil) },
	})
	f.resolver = resolve.New(resolve.Config{Store: cfg.Store, Fetch: f.fetch, Base: cfg.Base, Dev: cfg.Dev, Logger: cfg.Logger})
	f.queue, err = delivery.New(cfg.Store.DB(), delivery.Config{
		Post: f.post, OnResult: f.result, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	f.follows = follow.New(follow.Config{
		Store: cfg.Store, Queue: f.queue, Author: f.author, Resolver: f.resolver, Fetch: f.fetch, Bringer: bringer{f},
		Base: cfg.Base, Logger: cfg.Logger,
	})
	f.inbox = inbox.New(inbox.Config{
		Store: cfg.Store, Suite: suite, Resolver: f.resolver, Follows: f.follows, Queue: f.queue, Author: f.author,
		Verifier: httpsig.NewVerifier(httpsig.Options{Keys: f.resolver.Key, Host: cfg.Base.Host()}),
		Base:     cfg.Base, ClientIP: cfg.ClientIP, Logger: cfg.Logger,
	})
	f.outgoing = outgoing.New(outgoing.Config{
		Store: cfg.Store, Queue: f.queue, Author: f.author, Base: cfg.Base, Name: cfg.Name, ViewsEvery: viewsEvery(cfg.Dev), Logger: cfg.Logger,
	})
	f.endpoint = endpoint.New(endpoint.Config{
		Store: cfg.Store, Base: cfg.Base, Name: cfg.Name, Version: cfg.Version, VideoPage: cfg.VideoPage, ActorPage: cfg.ActorPage, Logger: cfg.Logger,
	})
	return f, nil
}

// viewsEvery is how often views alone are told: soon where somebody tries things out, else as outgoing
// does by itself.
func viewsEvery(dev bool) time.Duration {
	if dev {
		return 3 * time.Second
	}
	return 0
}

// bringer hands what outboxes have to the inbox, which is made after the one that walks them.
type bringer struct{ f *Federation }

func (b bringer) Bring(ctx context.Context, actor *store.Actor, activity json.RawMessage) (bool, error) {
	return b.f.inbox.Bring(ctx, actor, activity)
}

// result hears what became of an attempt to deliver an activity.
func (f *Federation) result(r delivery.Result) {
	f.follows.OnResult(r)
	f.outgoing.OnResult(r)
}

// post signs and sends an activity once.
func (f *Federation) post(ctx context.Context, a delivery.Attempt) (status int, reason string, retryAfter time.Duration, err error) {
	status, reason, retryAfter, err = f.fetch.Post(ctx, a.Inbox, a.Body, func(r *http.Request) error {
		return f.author.Request(r, a.Actor, a.Body)
	})
	return status, reason, retryAfter, permanent(err)
}

// Routes adds the paths that other instances ask.
func (f *Federation) Routes(r chi.Router) {
	f.inbox.Routes(r)
	f.endpoint.Routes(r)
}

// Follows is who follows whom.
func (f *Federation) Follows() *follow.Service { return f.follows }

// Queue is what waits to go out.
func (f *Federation) Queue() *delivery.Queue { return f.queue }

// Resolver finds objects of other instances.
func (f *Federation) Resolver() *resolve.Resolver { return f.resolver }

// Fetch asks other servers.
func (f *Federation) Fetch() *fetch.Client { return f.fetch }
