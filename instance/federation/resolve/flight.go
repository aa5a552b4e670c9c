// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"sync"
	"time"
)

// flightTime bounds the work of one flight.
const flightTime = 90 * time.Second

// flights folds concurrent work on the same key into one.
type flights[T any] struct {
	mu sync.Mutex
	m  map[string]*flight[T]
}

type flight[T any] struct {
	done    chan struct{}
	waiters int
	cancel  context.CancelFunc
	value   T
	err     error
}

// do returns what work returns for key, running it once however many ask. The work goes on as long as
// somebody waits for it.
func (f *flights[T]) do(ctx context.Context, key string, work func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	c, ok := f.m[key]
	if !ok {
		c = &flight[T]{done: make(chan struct{})}
		var own context.Context
		own, c.cancel = context.WithTimeout(context.WithoutCancel(ctx), flightTime)
		if f.m == nil {
			f.m = map[string]*flight[T]{}
		}
		f.m[key] = c
		go f.run(own, key, c, work)
	}
	c.waiters++
	f.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		f.mu.Lock()
		if c.waiters--; c.waiters == 0 {
			c.cancel()
			if f.m[key] == c {
				delete(f.m, key)
			}
		}
		f.mu.Unlock()
		var none T
		return none, ctx.Err()
	}
}

func (f *flights[T]) run(ctx context.Context, key string, c *flight[T], work func(context.Context) (T, error)) {
	defer c.cancel()
	c.value, c.err = work(ctx)
	f.mu.Lock()
	if f.m[key] == c {
		delete(f.m, key)
	}
	f.mu.Unlock()
	close(c.done)
}
