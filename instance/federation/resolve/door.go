// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"sync"
	"time"

	"shoal/instance/federation/fetch"
	"shoal/instance/party"
	"shoal/instance/store"
)

// door is what requests may make this instance do before anything of them is proved.
type door struct {
	// fetches bounds the documents that one client has one party asked for, apart from what this
	// instance asks for itself; unknown is for those of hosts that nobody here knows.
	fetches, unknown limits
	flights          flights[*store.Actor]
	held             held
}

func newDoor() door {
	return door{fetches: limits{every: 20, burst: 200}, unknown: limits{every: 5, burst: 50}, held: held{t: table[*store.Actor]{most: maxHeld}}}
}

// Bounds of the actors that are held in memory until a signature of theirs holds.
const (
	maxHeld = 1000
	heldFor = 10 * time.Minute
)

// held are actors that are not stored yet: anybody can name any number of them.
type held struct {
	mu sync.Mutex
	t  table[*store.Actor]
}

func (h *held) get(id string, now time.Time) *store.Actor {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.t.m[id]; a != nil && now.Sub(a.Fetched) < heldFor {
		return a
	}
	return nil
}

func (h *held) put(id string, a *store.Actor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t.put(id, a)
}

// turn waits until one more document may be asked of a host.
func (r *Resolver) turn(ctx context.Context, host string) error {
	key, of := party.Host(host), &r.fetches
	if a, ok := fetch.UnprovedAsker(ctx); ok {
		key += " for " + a.Client
		if of = &r.door.fetches; !a.Known {
			of = &r.door.unknown
		}
	}
	if err := of.of(key).Wait(ctx); err != nil {
		return &problem{text: "too many objects were asked of " + host + " at once", kind: ErrUnreachable, cause: err}
	}
	return nil
}

// holder returns the actor that an id of a key names. One that is not stored is not stored either
// where the request that names it is not proved: Proved does that.
func (r *Resolver) holder(ctx context.Context, id string, refresh bool) (*store.Actor, error) {
	stored, err := r.storedActor(id)
	if err != nil {
		return nil, err
	}
	known := stored
	_, unproved := fetch.UnprovedAsker(ctx)
	if known == nil && unproved {
		known = r.door.held.get(id, r.now())
	}
	maxAge := Stored
	if refresh && (known == nil || r.now().Sub(known.Fetched) > refetchAfter) && r.refetches.of(id).Allow() {
		maxAge = Fresh
	}
	switch {
	case stored != nil || !unproved:
		return r.Actor(ctx, id, maxAge)
	case known != nil && maxAge == Stored:
		return known, nil
	}
	return r.door.flights.do(ctx, id, func(ctx context.Context) (*store.Actor, error) {
		return again(ctx, r, id, maxAge == Fresh, func(ctx context.Context) (*store.Actor, error) {
			a, err := r.readActor(ctx, id)
			if err != nil {
				return nil, err
			}
			r.door.held.put(id, a)
			if a.ID != id {
				r.door.held.put(a.ID, a)
			}
			return a, nil
		})
	})
}

// refetchAfter is the age from which a key that does not fit is fetched anew.
const refetchAfter = time.Minute

// Proved stores an actor whose key Key fetched for a request, now that a signature with it held. A
// channel is stored by who fetches it with its owner.
func (r *Resolver) Proved(id string) error {
	id = noFragment(id)
	a := r.door.held.get(id, r.now())
	if a == nil || a.Owner != "" || a.ID != id {
		return nil
	}
	own := *a
	if known, err := r.storedActor(id); err != nil || known != nil {
		return err
	}
	return r.keepActor(&own)
}
