// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"sync"

	"github.com/ebitengine/purego"
)

// registry gives the Go values that C calls back a number that C can hold.
type registry struct {
	mu     sync.RWMutex
	last   uintptr
	values map[uintptr]any
}

func newRegistry() *registry { return &registry{values: map[uintptr]any{}} }

// add returns a number that was never given before; 0 is never given.
func (r *registry) add(v any) uintptr {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.values[r.last] = v
	return r.last
}

// get returns nil for a number that is not, or no more, in use.
func (r *registry) get(id uintptr) any {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.values[id]
}

func (r *registry) remove(id uintptr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.values, id)
}

func (r *registry) len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.values)
}

// callbacks are the C functions libmpv calls, with the registry that leads to their receivers.
type callbacks struct {
	registry *registry
	update   uintptr
	open     uintptr
	stream   streamCallbacks
}

func newCallbacks() callbacks {
	r := newRegistry()
	c := callbacks{registry: r}
	// mpv_render_update_fn: no call into libmpv is allowed in it.
	c.update = purego.NewCallback(func(id uintptr) uintptr {
		if render, ok := r.get(id).(*Render); ok {
			render.signal()
		}
		return 0
	})
	c.stream = newStreamCallbacks(r)
	c.open = newOpenCallback(r, c.stream)
	return c
}
