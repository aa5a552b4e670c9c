// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"shoal/instance/party"
)

const (
	// whole is how much goes out at a time where there is no limit, in bytes.
	whole = 1 << 20
	// The bytes that go out at a time under a limit: a part of a second's, between two bounds.
	minQuantum, maxQuantum = 4 << 10, 256 << 10
	quantumsPerSecond      = 16
	// burst is how much of what was not used in time may be made up for.
	burst = 100 * time.Millisecond
	// lag is how many quantums a party that was not quite in time has left of its share.
	lag = 4
	// maxOpen bounds the files going out at one time; maxOpenPerParty is a party's part of them, and
	// where that is less, one of partOfRoom parts of the places that are free (but one file).
	maxOpen, maxOpenPerParty = 2048, 128
	partOfRoom               = 8
	// sweepEvery is how often parties that are gone are forgotten; past maxGone it is done at once.
	sweepEvery = time.Minute
	maxGone    = 10_000
)

// shares gives the upload rate out: to all together at most total, to each party at most each, in
// bytes per second, and what parties compete for in equal parts of bytes, however many connections
// each has. The one that was given least is next (start-time fair queueing). A party is an address
// (package party).
type shares struct {
	limited  atomic.Bool
	perParty int // files at one time

	mu          sync.Mutex
	total, each int64
	next        time.Time // when total allows more
	clock       int64     // where the party that was served last stood
	parties     map[netip.Addr]*account
	ready, held line // those with a queue: who may be next, and whose own limit does not allow more yet
	open        int
	swept       time.Time
	timer       *time.Timer
}

// account is what one party gets.
type account struct {
	key   netip.Addr
	open  int
	given int64     // bytes, on the shares' clock
	next  time.Time // when each allows more
	queue []*claim
	line  *line // ready or held, while there is a queue
	at    int   // place in it
}

// claim waits to send some bytes.
type claim struct {
	bytes   int64
	granted chan struct{}
}

func newShares(perParty int) *shares {
	return &shares{
		perParty: perParty, parties: map[netip.Addr]*account{}, swept: time.Now(),
		ready: line{before: func(a, b *account) bool { return a.given < b.given }},
		held:  line{before: func(a, b *account) bool { return a.next.Before(b.next) }},
	}
}

// limit sets the limits, 0 for none. Those that wait feel it at once.
func (s *shares) limit(total, each int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total, s.each = max(total, 0), max(each, 0)
	s.next = time.Time{}
	for _, a := range s.parties {
		a.next = time.Time{}
	}
	s.limited.Store(s.total > 0 || s.each > 0)
	s.pump(time.Now())
}

// enter opens a file for an address, or refuses where too many are open.
func (s *shares) enter(ip netip.Addr) (*account, bool) {
	key := party.Addr(ip)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.swept) > sweepEvery || len(s.parties) > maxGone+maxOpen {
		s.sweep(now)
	}
	a := s.parties[key]
	if s.open >= maxOpen || a != nil && a.open >= s.allowance() {
		return nil, false
	}
	if a == nil {
		a = &account{key: key}
		s.parties[key] = a
	}
	a.open++
	s.open++
	return a, true
}

// allowance is how many files may go out to one party now. It shrinks as the places fill, so that a few
// who take all they can leave room for who comes later: it takes as many parties as there are places to
// fill them all. A party that has none going out may always have one.
func (s *shares) allowance() int {
	if s.perParty <= 0 {
		return maxOpen
	}
	return max(1, min(s.perParty, (maxOpen-s.open)/partOfRoom))
}

// leave ends what enter began. Who used up its share is remembered, so that coming again does not
// renew it.
func (s *shares) leave(a *account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.open--
	s.open--
	if a.open == 0 && s.each == 0 {
		delete(s.parties, a.key)
	}
}

// sweep forgets the parties that are gone; past maxGone, those that used up their share too.
func (s *shares) sweep(now time.Time) {
	s.swept = now
	many := len(s.parties) > maxGone
	for key, a := range s.parties {
		if a.open == 0 && (many || !a.next.After(now)) {
			delete(s.parties, key)
		}
	}
}

// take waits until the party may send some of want bytes, and returns how many.
func (s *shares) take(ctx context.Context, a *account, want int64) (int64, error) {
	if !s.limited.Load() {
		return min(want, whole), nil
	}
	s.mu.Lock()
	c := s.claim(a, want)
	s.pump(time.Now())
	s.mu.Unlock()
	select {
	case <-c.granted:
		return c.bytes, nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.withdraw(a, c)
		return 0, ctx.Err()
	}
}

// claim queues a claim. A party that comes back is not given what it did not ask for meanwhile.
func (s *shares) claim(a *account, want int64) *claim {
	q := s.quantum()
	c := &claim{min(want, q), make(chan struct{})}
	if len(a.queue) == 0 {
		a.given = max(a.given, s.clock-lag*q)
		s.held.add(a) // grant looks whether it may be next
	}
	a.queue = append(a.queue, c)
	return c
}

func (s *shares) withdraw(a *account, c *claim) {
	if n := slices.Index(a.queue, c); n >= 0 {
		if a.queue = slices.Delete(a.queue, n, n+1); len(a.queue) == 0 {
			a.line.remove(a)
		}
	}
}

// quantum is the bytes granted at a time.
func (s *shares) quantum() int64 {
	rate := s.total
	if rate == 0 || s.each > 0 && s.each < rate {
		rate = s.each
	}
	return min(max(rate/quantumsPerSecond, minQuantum), maxQuantum)
}

// pump grants what is due and comes back for the rest.
func (s *shares) pump(now time.Time) {
	wait, more := s.grant(now)
	switch {
	case !more:
	case s.timer == nil:
		s.timer = time.AfterFunc(wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.pump(time.Now())
		})
	default:
		s.timer.Reset(wait)
	}
}

// grant grants what is due: each time to the party that was given least of those whose own limit allows
// more. Where more is waiting it returns when the next is.
func (s *shares) grant(now time.Time) (wait time.Duration, more bool) {
	for {
		for a := s.held.first(); a != nil && !a.next.After(now); a = s.held.first() {
			s.held.remove(a)
			s.ready.add(a)
		}
		a, later := s.ready.first(), s.held.first()
		switch {
		case a == nil && later == nil:
			return 0, false
		case s.next.After(now):
			return s.next.Sub(now), true
		case a == nil:
			return later.next.Sub(now), true
		}
		c := a.queue[0]
		a.queue = a.queue[1:]
		s.ready.remove(a)
		s.clock = a.given
		a.given += c.bytes
		s.next = spend(s.next, now, c.bytes, s.total)
		a.next = spend(a.next, now, c.bytes, s.each)
		if len(a.queue) > 0 {
			s.held.add(a)
		}
		close(c.granted)
	}
}

// spend is when a rate allows more after some bytes; a rate of 0 is no limit.
func spend(next, now time.Time, bytes, rate int64) time.Time {
	if rate == 0 {
		return time.Time{}
	}
	if earliest := now.Add(-burst); next.Before(earliest) {
		next = earliest
	}
	return next.Add(time.Duration(bytes * int64(time.Second) / rate))
}
