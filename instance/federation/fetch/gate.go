// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"sync"
)

// Asker is whose request a GET is made for before anything of that request is proved.
type Asker struct {
	// Client is who asks, as far as it is known without proof: its address.
	Client string
	// Known says that the host it speaks for follows this instance or is followed by it.
	Known bool
}

type askerKey struct{}

// Unproved marks GETs that are made for a request that is not proved yet. They take turns apart from
// all others, those for unknown hosts apart from those for known ones, so that nobody can keep this
// instance from asking others; few at a time of one client. For an unknown host each is tried once,
// for a short time.
func Unproved(ctx context.Context, a Asker) context.Context {
	return context.WithValue(ctx, askerKey{}, a)
}

// UnprovedAsker returns whose request GETs are made for, if it is not proved yet.
func UnprovedAsker(ctx context.Context) (Asker, bool) {
	a, ok := ctx.Value(askerKey{}).(Asker)
	return a, ok
}

// gates are the gates of the GETs that do not wait for each other.
type gates struct{ own, known, unknown *gate }

func newGates() gates { return gates{newGate(atOnce), newGate(atDoor), newGate(atDoor)} }

// gate bounds the GETs at one time, of each key and in all. Keys are parties that are asked, or clients
// that are asked for.
type gate struct {
	all  chan struct{}
	mu   sync.Mutex
	keys map[string]*door
}

// door is a key's part of a gate. It is there while somebody uses it.
type door struct {
	users int
	turns chan struct{}
}

func newGate(most int) *gate {
	return &gate{all: make(chan struct{}, most), keys: map[string]*door{}}
}

// enter waits for a turn with each key, then for one of all's. Those who wait for a slow host must not
// hold the others' places.
func (g *gate) enter(ctx context.Context, keys ...string) (leave func(), err error) {
	var outs []func()
	leave = func() {
		for _, out := range outs {
			out()
		}
	}
	for _, key := range keys {
		d := g.door(key)
		select {
		case d.turns <- struct{}{}:
			outs = append(outs, func() { <-d.turns; g.close(key, d) })
		case <-ctx.Done():
			g.close(key, d)
			leave()
			return nil, ctx.Err()
		}
	}
	select {
	case g.all <- struct{}{}:
		outs = append(outs, func() { <-g.all })
		return leave, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

func (g *gate) door(key string) *door {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.keys[key]
	if d == nil {
		d = &door{turns: make(chan struct{}, perParty)}
		g.keys[key] = d
	}
	d.users++
	return d
}

func (g *gate) close(key string, d *door) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d.users--; d.users == 0 {
		delete(g.keys, key)
	}
}
