// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds a table of limits, in entries.
const maxKeys = 10_000

// limits is a rate limit for each of many keys, and one for all. The oldest keys are forgotten first.
type limits struct {
	mu    sync.Mutex
	each  rate.Limit
	burst int
	all   *rate.Limiter
	of    map[string]*limited
	order []string
}

// limited is what is known of one key.
type limited struct {
	rate   *rate.Limiter
	active int
}

func newLimits(each rate.Limit, burst int, all rate.Limit, allBurst int) *limits {
	return &limits{each: each, burst: burst, all: rate.NewLimiter(all, allBurst), of: map[string]*limited{}}
}

// newUnasked bounds the videos that are stored though nobody here follows who brings them: in a burst,
// then slowly, of one host and in all.
func newUnasked() *limits {
	return newLimits(rate.Every(10*time.Minute), 100, rate.Every(time.Minute), 1000)
}

// key finds or makes a key's entry. l.mu is held.
func (l *limits) key(key string) *limited {
	e, ok := l.of[key]
	if ok {
		return e
	}
	for len(l.of) >= maxKeys {
		// One that is in use goes to the end.
		oldest := l.order[0]
		l.order = l.order[1:]
		if l.of[oldest].active > 0 {
			l.order = append(l.order, oldest)
			continue
		}
		delete(l.of, oldest)
	}
	e = &limited{rate: rate.NewLimiter(l.each, l.burst)}
	l.of[key] = e
	l.order = append(l.order, key)
	return e
}

// newForwards bounds what is passed on of one party.
func newForwards() *limits {
	return newLimits(rate.Every(time.Second), 60, 20, 1000)
}

// allow takes one from the key's rate and from all's, or says how long to wait.
func (l *limits) allow(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	e := l.key(key)
	l.mu.Unlock()
	now := time.Now()
	var taken []*rate.Reservation
	for _, r := range []*rate.Limiter{e.rate, l.all} {
		res := r.ReserveN(now, 1)
		taken = append(taken, res)
		if wait := res.DelayFrom(now); wait > 0 {
			for _, res := range taken {
				res.CancelAt(now) // what is not used costs the key nothing
			}
			return wait, false
		}
	}
	return 0, true
}

// gate bounds the requests of each sender and of all, in rate and at once.
type gate struct {
	limits   *limits
	most, of int
	active   int // of all; limits.mu guards it
}

func newGate(l Limits) *gate {
	return &gate{
		limits: newLimits(rate.Limit(l.HostRate), l.HostBurst, rate.Limit(l.Rate), l.Burst),
		most:   l.Concurrent, of: l.HostConcurrent,
	}
}

// enter lets a sender's request in, or says how long to wait. leave must be called afterwards.
func (g *gate) enter(sender string) (leave func(), wait time.Duration, ok bool) {
	if wait, ok := g.limits.allow(sender); !ok {
		return nil, wait, false
	}
	mu := &g.limits.mu
	mu.Lock()
	defer mu.Unlock()
	e := g.limits.key(sender)
	if g.active >= g.most || e.active >= g.of {
		return nil, time.Second, false
	}
	g.active++
	e.active++
	return func() {
		mu.Lock()
		defer mu.Unlock()
		g.active--
		e.active--
	}, 0, true
}
