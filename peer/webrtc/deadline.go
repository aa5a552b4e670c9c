// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"sync"
	"time"
)

// deadline is a moment after which waiting ends. Setting it is cheap, since torrent clients set one
// for every read: a timer that runs already is left to run, and looks at the new moment when it
// ends.
type deadline struct {
	passed func() // called, without the lock, when a moment passes

	mu    sync.Mutex
	at    time.Time // zero: never
	timer *time.Timer
	fires time.Time // when timer ends; zero: it does not run
	dead  bool
}

func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return
	}
	d.at = at
	if at.IsZero() || (!d.fires.IsZero() && !at.Before(d.fires)) {
		d.mu.Unlock()
		return
	}
	wait := time.Until(at)
	if wait <= 0 {
		d.mu.Unlock()
		d.passed()
		return
	}
	d.arm(at, wait)
	d.mu.Unlock()
}

func (d *deadline) arm(at time.Time, wait time.Duration) {
	d.fires = at
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.ring)
		return
	}
	d.timer.Reset(wait)
}

func (d *deadline) ring() {
	d.mu.Lock()
	d.fires = time.Time{}
	if d.dead || d.at.IsZero() {
		d.mu.Unlock()
		return
	}
	if wait := time.Until(d.at); wait > 0 {
		d.arm(d.at, wait)
		d.mu.Unlock()
		return
	}
	d.mu.Unlock()
	d.passed()
}

// over tells that the moment has passed.
func (d *deadline) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

// stop ends the timer for good.
func (d *deadline) stop() {
	d.mu.Lock()
	d.dead = true
	if d.timer != nil {
		d.timer.Stop()
	}
	d.mu.Unlock()
}
