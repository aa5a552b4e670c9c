// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// simulate has parties with some connections each take all that they are given for some seconds of a
// clock of its own, and returns the bytes of each.
func simulate(t *testing.T, s *shares, seconds int, connections map[string]int) map[string]int64 {
	t.Helper()
	type waiting struct {
		name string
		*account
		*claim
	}
	var all []waiting
	got := map[string]int64{}
	now := time.Unix(1e9, 0)
	for name, n := range connections {
		for range n {
			a, ok := s.enter(netip.MustParseAddr(name))
			if !ok {
				t.Fatal("refused")
			}
			all = append(all, waiting{name, a, s.claim(a, 1<<30)})
		}
	}
	for end := now.Add(time.Duration(seconds) * time.Second); now.Before(end); {
		wait, more := s.grant(now)
		if more && wait <= 0 {
			t.Fatalf("waits %s", wait)
		}
		if granted := func() (any bool) {
			for i := range all {
				select {
				case <-all[i].granted:
					got[all[i].name] += all[i].bytes
					all[i].claim = s.claim(all[i].account, 1<<30)
					any = true
				default:
				}
			}
			return any
		}(); !granted {
			now = now.Add(wait)
		}
	}
	return got
}

// waiting is how many parties are waiting.
func (s *shares) waiting() int { return s.ready.Len() + s.held.Len() }

func TestViewersShareAlike(t *testing.T) {
	const limit, seconds = 10_000_000, 10
	s := newShares(0)
	s.limit(limit, 0)
	got := simulate(t, s, seconds, map[string]int{"192.0.2.1": 1, "192.0.2.2": 32, "2001:db8::1": 8, "2001:db8::2": 8})
	// Of one /64, so one viewer.
	got["2001:db8::1"] += got["2001:db8::2"]
	delete(got, "2001:db8::2")
	var sum int64
	for _, n := range got {
		sum += n
	}
	if sum < limit*seconds*98/100 || sum > limit*seconds*102/100 {
		t.Errorf("%d bytes at %d a second", sum, limit)
	}
	for name, n := range got {
		if n < sum/3*97/100 || n > sum/3*103/100 {
			t.Errorf("%s got %d bytes of %d", name, n, sum)
		}
	}
}

func TestWhatOneMayNotHaveIsOthers(t *testing.T) {
	const total, each, seconds = 10_000_000, 4_000_000, 10
	s := newShares(0)
	s.limit(total, each)
	got := simulate(t, s, seconds, map[string]int{"192.0.2.1": 9})
	if n := got["192.0.2.1"]; n < each*seconds*98/100 || n > each*seconds*102/100 {
		t.Errorf("one alone got %d bytes, of %d a second", n, each)
	}
	s = newShares(0)
	s.limit(0, each)
	for name, n := range simulate(t, s, seconds, map[string]int{"192.0.2.1": 9, "192.0.2.2": 1, "192.0.2.3": 2}) {
		if n < each*seconds*98/100 || n > each*seconds*102/100 {
			t.Errorf("%s got %d bytes, of %d a second", name, n, each)
		}
	}
}

func TestComingAgainRenewsNoShare(t *testing.T) {
	const each = 1_000_000
	s := newShares(0)
	s.limit(0, each)
	now := time.Unix(1e9, 0)
	var got int64
	for end := now.Add(10 * time.Second); now.Before(end); now = now.Add(time.Millisecond) {
		a, ok := s.enter(netip.MustParseAddr("192.0.2.1"))
		if !ok {
			t.Fatal("refused")
		}
		c := s.claim(a, 10_000)
		s.grant(now)
		select {
		case <-c.granted:
			got += c.bytes
		default:
			s.withdraw(a, c)
		}
		s.leave(a)
	}
	if got > each*10*105/100 {
		t.Errorf("%d bytes in 10 s at %d a second", got, each)
	}
	if s.sweep(now.Add(time.Hour)); len(s.parties) != 0 || s.open != 0 || s.waiting() != 0 {
		t.Errorf("left: %d parties, %d files, %d waiting", len(s.parties), s.open, s.waiting())
	}
}

func TestLimitsAreLifted(t *testing.T) {
	s := newShares(0)
	s.limit(1, 0)
	a, _ := s.enter(netip.Addr{})
	if n, err := s.take(t.Context(), a, 1<<30); err != nil || n != minQuantum {
		t.Fatalf("the first %d bytes: %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(ctx, a, 1); !errors.Is(err, context.Canceled) || s.waiting() != 0 {
		t.Errorf("gone: %v, %d waiting", err, s.waiting())
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.take(t.Context(), a, 1<<30) // over an hour away
		done <- err
	}()
	for waiting := 0; waiting == 0; {
		s.mu.Lock()
		waiting = s.waiting()
		s.mu.Unlock()
	}
	s.limit(0, 0)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n, err := s.take(t.Context(), a, 1<<30); err != nil || n != whole {
		t.Errorf("without a limit %d bytes: %v", n, err)
	}
}

func TestFilesAtOneTimeAreBounded(t *testing.T) {
	s := newShares(2)
	ip := netip.MustParseAddr("2001:db8::1")
	first, _ := s.enter(ip)
	if _, ok := s.enter(netip.MustParseAddr("2001:db8::2")); !ok {
		t.Fatal("the second was refused")
	}
	if _, ok := s.enter(ip); ok {
		t.Error("a third was let in")
	}
	if _, ok := s.enter(netip.MustParseAddr("192.0.2.1")); !ok {
		t.Error("somebody else was refused")
	}
	s.leave(first)
	if _, ok := s.enter(ip); !ok {
		t.Error("refused after one left")
	}
}

// TestAFewDoNotTakeEveryPlace: 16 addresses that open all they may leave room for a hundred viewers.
func TestAFewDoNotTakeEveryPlace(t *testing.T) {
	s := newShares(maxOpenPerParty)
	address := func(of, n int) netip.Addr { return netip.AddrFrom4([4]byte{192, byte(of), byte(n >> 8), byte(n)}) }
	for greedy := range 16 {
		for range maxOpenPerParty {
			s.enter(address(1, greedy))
		}
	}
	for viewer := range 100 {
		for range 3 {
			if _, ok := s.enter(address(2, viewer)); !ok {
				t.Fatalf("viewer %d was refused with %d files going out", viewer, s.open)
			}
		}
	}
	for n := range 1000 { // and a thousand more have one each
		if _, ok := s.enter(address(3, n)); !ok && s.open < maxOpen {
			t.Fatalf("viewer %d was refused with %d files going out", n, s.open)
		}
	}
}
