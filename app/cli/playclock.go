// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"sync"
	"time"
)

// slowRead is a wait that counts as a stall where the bitrate is unknown.
const slowRead = time.Second

// playClock tells how playback at normal speed would have gone: it starts once a second of the
// video is there, stalls when it runs dry, and goes on when a second is there again.
type playClock struct {
	rate float64 // bytes per second of the video; 0: unknown

	mu       sync.Mutex
	playing  bool
	started  bool
	position float64       // bytes played
	last     time.Duration // of the previous event
	had      int64         // bytes there at that time
	dry      time.Duration // when the current stall began
	stalls   int
	stalled  time.Duration
}

// received notes that at time now (since the start) total bytes are there; last: these are all.
func (c *playClock) received(now time.Duration, total int64, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.last, c.had = now, total }()
	if c.rate <= 0 {
		if c.had > 0 && now-c.last >= slowRead {
			c.stalls++
			c.stalled += now - c.last
		}
		return
	}
	if c.playing {
		c.position += c.rate * (now - c.last).Seconds()
		if c.position > float64(c.had) {
			c.dry = now - time.Duration((c.position-float64(c.had))/c.rate*float64(time.Second))
			c.position, c.playing = float64(c.had), false
			c.stalls++
		}
	}
	if !c.playing && (last || float64(total)-c.position >= c.rate) {
		if c.started {
			c.stalled += now - c.dry
		}
		c.playing, c.started = true, true
	}
}

func (c *playClock) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stalls
}

// totals returns the stalls and how long they took, in milliseconds.
func (c *playClock) totals() (stalls int, ms int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stalls, c.stalled.Milliseconds()
}
