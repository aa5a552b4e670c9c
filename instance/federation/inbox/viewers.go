// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"sync"
	"time"

	"shoal/instance/party"
)

// Bounds of who is remembered as watching.
const (
	maxViewers   = 100_000
	maxViewersOf = 10_000 // of one party
	maxWatch     = time.Hour
)

// viewers counts who watches the videos of this instance elsewhere. It is not kept over a restart:
// what it holds expires in a minute or two.
type viewers struct {
	mu    sync.Mutex
	of    map[string]map[string]watching // video UUID -> View id
	count int
	each  map[string]int // party -> how many it tells of
	swept time.Time
}

// watching is until when somebody watches, and who says so.
type watching struct {
	until time.Time
	party string
}

func newViewers() *viewers {
	return &viewers{of: map[string]map[string]watching{}, each: map[string]int{}}
}

// saw notes that somebody watches, as a host says.
func (v *viewers) saw(uuid, view, host string, expires, now time.Time) {
	if expires.After(now.Add(maxWatch)) {
		expires = now.Add(maxWatch)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweep(now)
	if !expires.After(now) {
		return
	}
	m := v.of[uuid]
	if m == nil {
		m = map[string]watching{}
		v.of[uuid] = m
	}
	who := party.Host(host)
	if _, ok := m[view]; !ok {
		if v.count >= maxViewers || v.each[who] >= maxViewersOf {
			return
		}
		v.count++
		v.each[who]++
	}
	m[view] = watching{expires, who}
}

// sweep forgets who is gone, once in a while; v.mu is held.
func (v *viewers) sweep(now time.Time) {
	if now.Sub(v.swept) < 10*time.Second {
		return
	}
	v.swept = now
	for uuid, m := range v.of {
		for view, w := range m {
			if !w.until.After(now) {
				delete(m, view)
				v.count--
				if v.each[w.party]--; v.each[w.party] == 0 {
					delete(v.each, w.party)
				}
			}
		}
		if len(m) == 0 {
			delete(v.of, uuid)
		}
	}
}

// Viewers is how many watch a video of this instance on other instances now.
func (b *Inbox) Viewers(uuid string) int {
	v, now := b.viewers, b.cfg.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, w := range v.of[uuid] {
		if w.until.After(now) {
			n++
		}
	}
	return n
}
