// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"sync"
	"time"
)

// loop starts work off the window's goroutine and brings its results back to it. Its methods are
// called on the window's goroutine.
type loop struct {
	ctx  context.Context // the life of the window
	stop context.CancelFunc
	// post runs a function on the window's goroutine, soon, from any other goroutine.
	post func(func())
	wg   sync.WaitGroup
}

func newLoop(ctx context.Context, post func(func())) *loop {
	l := &loop{post: post}
	l.ctx, l.stop = context.WithCancel(ctx)
	return l
}

// close ends all work and waits for it, a bounded time.
func (l *loop) close(limit time.Duration) {
	l.stop()
	done := make(chan struct{})
	go func() { l.wg.Wait(); close(done) }()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// spawn runs work in a goroutine of the loop until it returns; ctx ends with the window.
func (l *loop) spawn(work func(ctx context.Context)) {
	if l.ctx.Err() != nil { // too late to be waited for
		go work(l.ctx)
		return
	}
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		work(l.ctx)
	}()
}

// do posts f unless ctx has ended by the time it would run.
func (l *loop) do(ctx context.Context, f func()) {
	if ctx.Err() != nil {
		return
	}
	l.post(func() {
		if ctx.Err() == nil {
			f()
		}
	})
}

// every calls f in a goroutine of the loop, at once and then after each pause, until ctx ends.
func (l *loop) every(ctx context.Context, pause time.Duration, f func()) {
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		t := time.NewTicker(pause)
		defer t.Stop()
		for ctx.Err() == nil {
			f()
			select {
			case <-ctx.Done():
			case <-t.C:
			}
		}
	}()
}

// later calls f on the window's goroutine after a while.
func (l *loop) later(after time.Duration, f func()) {
	l.spawn(func(ctx context.Context) {
		t := time.NewTimer(after)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
			l.do(ctx, f)
		}
	})
}

// task runs work off the window's goroutine and calls done with its result on it. After cancel, and
// after the window has gone, done is not called.
func task[T any](l *loop, work func(ctx context.Context) (T, error), done func(T, error)) (cancel context.CancelFunc) {
	return taking(l, work, done, func(T) {})
}

// taking is task for work whose result is to be freed: drop gets what came after cancel, in a
// goroutine of its own.
func taking[T any](l *loop, work func(ctx context.Context) (T, error), done func(T, error), drop func(T)) (cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(l.ctx)
	l.spawn(func(context.Context) {
		v, err := work(ctx)
		if ctx.Err() != nil {
			if err == nil {
				drop(v)
			}
			return
		}
		l.post(func() {
			if ctx.Err() != nil {
				if err == nil {
					l.spawn(func(context.Context) { drop(v) })
				}
				return
			}
			cancel()
			done(v, err)
		})
	})
	return cancel
}

// act is task for work without a value.
func act(l *loop, work func(ctx context.Context) error, done func(error)) (cancel context.CancelFunc) {
	return task(l, func(ctx context.Context) (struct{}, error) { return struct{}{}, work(ctx) },
		func(_ struct{}, err error) { done(err) })
}
