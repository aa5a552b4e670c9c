// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"shoal/instance/address"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// How old a stored copy may be.
const (
	// Fresh asks for a copy fetched now.
	Fresh time.Duration = 0
	// Stored takes a stored copy of any age.
	Stored time.Duration = 1<<63 - 1
	// Stale is the age from which a stored copy that is used is fetched anew in the background.
	Stale = 48 * time.Hour
)

// Fetcher gets documents of other instances. A *fetch.Client is one, and its errors are *fetch.Error.
type Fetcher interface {
	// Object gets a JSON document, and the URL it came from after redirects.
	Object(ctx context.Context, url string) (body []byte, final string, err error)
	// Webfinger finds the id of the actor name@host.
	Webfinger(ctx context.Context, handle string) (actorURL string, err error)
	// InstanceActor finds the id of a host's own actor.
	InstanceActor(ctx context.Context, host string) (actorURL string, err error)
}

// Config is what a Resolver needs.
type Config struct {
	Store *store.Store
	Fetch Fetcher
	Base  address.Base
	// Dev allows http, as Fetch does.
	Dev bool
	// Logger may be nil.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Resolver finds and keeps objects of other instances. It is safe for concurrent use.
type Resolver struct {
	store *store.Store
	fetch Fetcher
	base  address.Base
	dev   bool
	log   *slog.Logger
	now   func() time.Time

	actors   flights[*store.Actor]
	videos   flights[*store.RemoteVideo]
	comments flights[*store.Comment]
	failures failures
	// fetches bounds the documents that are asked of one party, refetches how often one key is.
	fetches, refetches limits
	door               door
	refresh            refresher
}

// New makes a Resolver.
func New(c Config) *Resolver {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Resolver{
		store: c.Store, fetch: c.Fetch, base: c.Base, dev: c.Dev, log: c.Logger, now: c.Now,
		fetches:   limits{every: 20, burst: 200},
		refetches: limits{every: rate.Every(time.Minute), burst: 1},
		door:      newDoor(),
		refresh:   newRefresher(),
	}
}

// local reports whether an id is this instance's own.
func (r *Resolver) local(id string) bool { return vocab.SameOrigin(id, string(r.base)) }

// allowed refuses ids that nothing is ever fetched for.
func (r *Resolver) allowed(id string) error {
	host := vocab.Host(id)
	switch {
	case !PlainHost(host) || len(id) > maxID:
		return refused("%.100q is no address of an object", id)
	case r.local(id):
		return &problem{text: id + " is of this instance", kind: ErrLocal}
	case r.store.Blocked(host):
		return &problem{text: host + " is blocked here", kind: ErrBlocked}
	}
	return nil
}

// free refuses to store what is of a host that was blocked while it was fetched. It is asked in the
// transaction that stores: what is blocked is purged in one before it or after it.
func (r *Resolver) free(id string) error {
	if host := vocab.Host(id); r.store.Blocked(host) {
		return &problem{text: host + " is blocked here", kind: ErrBlocked}
	}
	return nil
}

// PlainHost reports whether a host is written in lower-case ASCII, as block lists are: an international
// name in letters of its own would pass by them.
func PlainHost(host string) bool {
	return host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == ""
}

// maxID bounds an id, in bytes.
const maxID = 2000

// document fetches an object by its id from the id's own origin (FEP-fe34 §authentication by fetching).
// id may be another address of the object there: the id that counts is returned. What a reference was
// checked for by its origin, such as an object's author, holds for what is returned.
func (r *Resolver) document(ctx context.Context, id string) (body []byte, kind, canonical string, err error) {
	body, kind, canonical, err = r.anywhere(ctx, id)
	if err == nil && !vocab.SameOrigin(canonical, id) {
		return nil, "", "", refused("%s leads to an object of another server", id)
	}
	return body, kind, canonical, err
}

// anywhere is document for an address that may lead to another server: one that a person gives, or one
// of a video or comment, which servers answer with a redirect where it is not theirs. What it returns
// was answered by the origin of the id that is returned, which says that it is the object of that id.
// That id alone says whose it is.
func (r *Resolver) anywhere(ctx context.Context, id string) (body []byte, kind, canonical string, err error) {
	for hops := 0; ; hops++ {
		if err := r.allowed(id); err != nil {
			return nil, "", "", err
		}
		if err := r.turn(ctx, vocab.Host(id)); err != nil {
			return nil, "", "", err
		}
		body, final, err := r.fetch.Object(ctx, id)
		if err != nil {
			return nil, "", "", failed(id, err)
		}
		if err := r.allowed(final); err != nil {
			return nil, "", "", err
		}
		kind, own, err := vocab.Kind(body)
		if err != nil {
			return nil, "", "", malformed(id, err)
		}
		switch {
		case !vocab.SameOrigin(own, final):
			return nil, "", "", refused("%s answers with an object of another server", final)
		case own == id, own == final:
			return body, kind, own, nil
		case hops > 0:
			return nil, "", "", refused("%s answers with an object of another id", final)
		}
		// The object has another id on its host: that is asked itself.
		id = own
	}
}

// Object fetches any object from its own host, once, and stores nothing. The id that counts may be
// another one on that host.
func (r *Resolver) Object(ctx context.Context, id string) (body []byte, kind, canonical string, err error) {
	return r.once(ctx, noFragment(id), r.document)
}

type read func(ctx context.Context, id string) (body []byte, kind, canonical string, err error)

// once reads an object unless that failed a moment ago.
func (r *Resolver) once(ctx context.Context, id string, read read) (body []byte, kind, canonical string, err error) {
	if err := r.failures.get(id, r.now()); err != nil {
		return nil, "", "", err
	}
	body, kind, canonical, err = read(ctx, id)
	if err != nil {
		r.failures.put(id, err, r.now())
	}
	return body, kind, canonical, err
}

// again runs a fetch unless it failed a moment ago, and remembers failures.
func again[T any](ctx context.Context, r *Resolver, id string, fresh bool, work func(context.Context) (T, error)) (T, error) {
	if !fresh {
		if err := r.failures.get(id, r.now()); err != nil {
			var none T
			return none, err
		}
	}
	v, err := work(ctx)
	if err != nil {
		r.failures.put(id, err, r.now())
		return v, err
	}
	r.failures.forget(id)
	return v, nil
}

func noFragment(id string) string {
	id, _, _ = strings.Cut(id, "#")
	return id
}

// young reports whether a copy may be used for maxAge.
func (r *Resolver) young(fetched time.Time, maxAge time.Duration) bool {
	return maxAge > 0 && r.now().Sub(fetched) <= maxAge
}

// passing reports whether an old copy may stand in for a fresh one that could not be had.
func passing(err error, maxAge time.Duration) bool {
	return maxAge > 0 && Temporary(err) && !errors.Is(err, context.Canceled)
}
