// SPDX-License-Identifier: AGPL-3.0-or-later

// Package pulse runs what has to be looked at now and then, in great numbers: between two looks it
// costs a timer and no goroutine. Package peer and its rooms may import it.
package pulse

import (
	"sync"
	"time"
)

// Never is what a function returns that is to be called no more until Wake.
const Never time.Duration = -1

// Pulse calls a function when it is woken, and again when the time that the function returned has
// passed. Two calls never run at one time.
type Pulse struct {
	beat func() time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	at      time.Time // when the timer is due; zero: it is not set
	running bool
	again   bool // woken while running
	stopped bool
	wg      sync.WaitGroup
}

// New returns a Pulse that calls beat, in a goroutine of its own, from the first Wake on. beat returns
// how long to wait until the next call, or Never.
func New(beat func() time.Duration) *Pulse { return &Pulse{beat: beat} }

// Wake calls the function soon: at once, or after the call that runs. It does not wait for that.
func (p *Pulse) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

func (p *Pulse) wake() {
	switch {
	case p.stopped:
	case p.running:
		p.again = true
	default:
		p.running = true
		p.at = time.Time{}
		p.wg.Go(p.run)
	}
}

// ring is the timer's. One that was overtaken by a Wake has nothing to say.
func (p *Pulse) ring() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running && !p.at.IsZero() && !time.Now().Before(p.at) {
		p.wake()
	}
}

func (p *Pulse) run() {
	for {
		next := p.beat()
		p.mu.Lock()
		if p.again && !p.stopped {
			p.again = false
			p.mu.Unlock()
			continue
		}
		p.running = false
		if next >= 0 && !p.stopped {
			p.set(next)
		}
		p.mu.Unlock()
		return
	}
}

func (p *Pulse) set(wait time.Duration) {
	p.at = time.Now().Add(wait)
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, p.ring)
		return
	}
	p.timer.Reset(wait)
}

// Stop has no call begin any more. One that runs goes on: see Wait.
func (p *Pulse) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// Wait waits, after Stop, until no call runs.
func (p *Pulse) Wait() { p.wg.Wait() }
