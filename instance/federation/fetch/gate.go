// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"sync"
)

// gate bounds the GETs at one time, of each host and in all.
type gate struct {
	all   chan struct{}
	mu    *sync.Mutex
	hosts map[string]*door
}

// door is a host's part of a gate. It is there while somebody uses it.
type door struct {
	users int
	turns chan struct{}
}

func newGate() gate {
	return gate{all: make(chan struct{}, atOnce), mu: &sync.Mutex{}, hosts: map[string]*door{}}
}

// enter waits for a turn with a host.
func (g *gate) enter(ctx context.Context, host string) (leave func(), err error) {
	g.mu.Lock()
	d := g.hosts[host]
	if d == nil {
		d = &door{turns: make(chan struct{}, perHost)}
		g.hosts[host] = d
	}
	d.users++
	g.mu.Unlock()
	out := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if d.users--; d.users == 0 {
			delete(g.hosts, host)
		}
	}
	// The host's turn first: those who wait for a slow host must not hold the others' places.
	select {
	case d.turns <- struct{}{}:
	case <-ctx.Done():
		out()
		return nil, ctx.Err()
	}
	select {
	case g.all <- struct{}{}:
	case <-ctx.Done():
		<-d.turns
		out()
		return nil, ctx.Err()
	}
	return func() { <-g.all; <-d.turns; out() }, nil
}
