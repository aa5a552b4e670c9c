// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"sync"
)

// Gate holds a publication up. Its zero value is open. Its methods may be called from any goroutine.
type Gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when it opens; nil while it is open
}

// Pause closes the gate: the publication stops at its next piece or step.
func (g *Gate) Pause() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

// Resume opens the gate.
func (g *Gate) Resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// Paused reports whether the gate is closed.
func (g *Gate) Paused() bool { return g.closed() != nil }

// closed is nil while the gate is open, else closed when it opens.
func (g *Gate) closed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}

// turn is a publication's claim on the Publisher, which one at a time has. A paused one gives it up,
// so that others go on meanwhile.
type turn struct {
	slot chan struct{}
	gate *Gate

	mu   sync.Mutex
	held bool
}

// wait returns once the gate is open and the turn is held. Those that work on one publication may
// call it at once.
func (t *turn) wait(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		closed := t.gate.closed()
		switch {
		case closed == nil && t.held:
			return nil
		case closed == nil:
			select {
			case t.slot <- struct{}{}:
				t.held = true
			case <-ctx.Done():
			}
		default:
			t.giveUp()
			select {
			case <-closed:
			case <-ctx.Done():
			}
		}
	}
}

// end gives the turn up for good.
func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.giveUp()
}

func (t *turn) giveUp() {
	if t.held {
		<-t.slot
		t.held = false
	}
}
