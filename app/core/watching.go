// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"sync"
)

// watching counts who watches a swarm, or is about to, by its infohash.
type watching struct {
	mu    sync.Mutex
	count map[string]int
	going map[string]chan struct{} // closed once what unless does with the swarm has ended
}

// begin counts one more who watches a swarm, until end. It waits while unless works on it, so that a swarm
// that is being deleted is joined anew afterwards.
func (w *watching) begin(ctx context.Context, infohash string) error {
	if err := w.lock(ctx, infohash); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if w.count == nil {
		w.count = make(map[string]int)
	}
	w.count[infohash]++
	return nil
}

func (w *watching) end(infohash string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count[infohash]--; w.count[infohash] <= 0 {
		delete(w.count, infohash)
	}
}

func (w *watching) has(infohash string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[infohash] > 0
}

// unless does work that takes a swarm away from who watches it, unless somebody does. Nobody begins to
// meanwhile, and no other work on it begins. done is whether it was done.
func (w *watching) unless(ctx context.Context, infohash string, work func() error) (done bool, err error) {
	if err := w.lock(ctx, infohash); err != nil {
		return false, err
	}
	if w.count[infohash] > 0 {
		w.mu.Unlock()
		return false, nil
	}
	if w.going == nil {
		w.going = make(map[string]chan struct{})
	}
	ended := make(chan struct{})
	w.going[infohash] = ended
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.going, infohash)
		close(ended)
	}()
	return true, work()
}

// lock takes w.mu at a time when nothing works on the swarm.
func (w *watching) lock(ctx context.Context, infohash string) error {
	for {
		w.mu.Lock()
		going, ok := w.going[infohash]
		if !ok {
			return nil
		}
		w.mu.Unlock()
		select {
		case <-going:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
