// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"sync"
)

// background is work that goes on when whoever asked for it is gone.
type background struct {
	mu    sync.Mutex
	work  sync.WaitGroup
	stops []context.CancelFunc
	ended bool
}

// Go does work that may outlive the command that asked for it. Its ctx ends when the program does,
// which waits for it; work that is asked for after that gets a ctx that has ended.
func (a *App) Go(work func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	b := &a.background
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		cancel()
		go work(ctx)
		return
	}
	b.stops = append(b.stops, cancel)
	b.work.Go(func() { work(ctx) })
}

// end stops the work and waits for it.
func (b *background) end() {
	b.mu.Lock()
	b.ended = true
	stops := b.stops
	b.stops = nil
	b.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	b.work.Wait()
}
