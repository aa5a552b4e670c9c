// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How long a failure answers for further questions.
const (
	goneFor        = 5 * time.Minute
	refusedFor     = 5 * time.Minute
	unreachableFor = 20 * time.Second
)

// maxRemembered bounds each of the tables here that has no bound of its own, in entries.
const maxRemembered = 10_000

// table is a bounded map; the oldest entries go first.
type table[T any] struct {
	m     map[string]T
	order []string
	most  int // entries; 0: maxRemembered
}

func (t *table[T]) put(key string, v T) {
	if t.m == nil {
		t.m = map[string]T{}
	}
	if _, ok := t.m[key]; !ok {
		t.order = append(t.order, key)
	}
	t.m[key] = v
	most := cmp.Or(t.most, maxRemembered)
	for len(t.m) > most {
		delete(t.m, t.order[0])
		t.order = t.order[1:]
	}
	// Keys that were deleted stay in order until they are many.
	if len(t.order) > 2*most {
		kept := make([]string, 0, len(t.m))
		for _, k := range t.order {
			if _, ok := t.m[k]; ok {
				kept = append(kept, k)
			}
		}
		t.order = kept
	}
}

// failures remembers what could not be had, so that nobody can make the instance ask for it again and
// again.
type failures struct {
	mu sync.Mutex
	t  table[failure]
}

type failure struct {
	err   error
	until time.Time
}

func (f *failures) get(id string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, ok := f.t.m[id]; ok && now.Before(e.until) {
		return e.err
	}
	return nil
}

func (f *failures) put(id string, err error, now time.Time) {
	var keep time.Duration
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, ErrLocal), errors.Is(err, ErrBlocked):
		return
	case errors.Is(err, ErrGone):
		keep = goneFor
	case errors.Is(err, ErrRefused):
		keep = refusedFor
	case errors.Is(err, ErrUnreachable):
		keep = unreachableFor
	default:
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t.put(id, failure{err, now.Add(keep)})
}

func (f *failures) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.t.m, id)
}

// limits is a rate limit for each of many keys.
type limits struct {
	every rate.Limit
	burst int
	mu    sync.Mutex
	t     table[*rate.Limiter]
}

func (l *limits) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.t.m[key]
	if !ok {
		r = rate.NewLimiter(l.every, l.burst)
		l.t.put(key, r)
	}
	return r
}
