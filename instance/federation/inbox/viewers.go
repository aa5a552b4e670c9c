// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"sync"
	"time"
)

// Bounds of who is remembered as watching.
const (
	maxViewers = 100_000
	maxWatch   = time.Hour
)

// viewers counts who watches the videos of this instance elsewhere. It is not kept over a restart:
// what it holds expires in a minute or two.
type viewers struct {
	mu    sync.Mutex
	of    map[string]map[string]time.Time // video UUID -> View id -> when it expires
	count int
	swept time.Time
}

func newViewers() *viewers { return &viewers{of: map[string]map[string]time.Time{}} }

func (v *viewers) saw(uuid, view string, expires, now time.Time) {
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
		m = map[string]time.Time{}
		v.of[uuid] = m
	}
	if _, ok := m[view]; !ok {
		if v.count >= maxViewers {
			return
		}
		v.count++
	}
	m[view] = expires
}

// sweep forgets who is gone, once in a while; v.mu is held.
func (v *viewers) sweep(now time.Time) {
	if now.Sub(v.swept) < 10*time.Second {
		return
	}
	v.swept = now
	for uuid, m := range v.of {
		for view, expires := range m {
			if !expires.After(now) {
				delete(m, view)
				v.count--
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
	for _, expires := range v.of[uuid] {
		if expires.After(now) {
			n++
		}
	}
	return n
}
