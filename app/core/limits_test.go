// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"shoal/app/config"
	"shoal/peer"
)

// limitedEngine hears of limits.
type limitedEngine struct{ heard chan peer.Limits }

func (e *limitedEngine) SetLimits(l peer.Limits) { e.heard <- l }

// testClock is a clock that stands until it is set. A wait ends when it is over by that clock, and
// in any case when the clock is set: a limiter has to look at the time itself.
type testClock struct {
	mu    sync.Mutex
	at    time.Time
	seen  time.Time // by who asked last
	waits []chan time.Time
	most  time.Duration // the longest wait asked for
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = c.at
	return c.at
}

func (c *testClock) after(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = max(c.most, d)
	ch := make(chan time.Time, 1)
	if d <= 0 || !c.seen.Equal(c.at) {
		ch <- c.at
		return ch
	}
	c.waits = append(c.waits, ch)
	return ch
}

func (c *testClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
	for _, ch := range c.waits {
		ch <- at
	}
	c.waits = nil
}

// TestLimitsFollowClockAndSettings runs the limiter through a day with a clock that jumps, and
// through changes of the settings.
func TestLimitsFollowClockAndSettings(t *testing.T) {
	store, err := config.Load(filepath.Join(t.TempDir(), "config.toml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	update := func(change func(*config.Config)) {
		t.Helper()
		if err := store.Update(change); err != nil {
			t.Fatal(err)
		}
	}
	update(func(c *config.Config) {
		c.Network.UploadLimit = 1000
		c.Network.Schedule = config.Schedule{Enabled: true, From: "18:00", To: "23:00", UploadLimit: 10, DownloadLimit: 20}
		c.Limits.Memory = 512 << 20
	})
	engine := &limitedEngine{heard: make(chan peer.Limits, 1)}
	clock := &testClock{at: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	memory := make(chan int64, 1)
	l := newLimiter(store, engine)
	l.now, l.after = clock.now, clock.after
	l.setMemory = func(n int64) { memory <- n }
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- l.serve(ctx) }()

	expect := func(what string, want Limits) {
		t.Helper()
		select {
		case got := <-engine.heard:
			if got.Upload != want.Upload || got.Download != want.Download || got.Metered != want.Metered {
				t.Fatalf("%s: %+v", what, got)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: nothing happened", what)
		}
		for deadline := time.Now().Add(time.Minute); *l.current.Load() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v are said to be in force", what, *l.current.Load())
			}
		}
	}
	day := Limits{Upload: 1000}
	evening := Limits{Upload: 10, Download: 20, Scheduled: true}
	at := func(hour, minute int) time.Time { return time.Date(2026, 1, 5, hour, minute, 0, 0, time.UTC) }
	expect("at noon", day)
	if n := <-memory; n != 512<<20 {
		t.Fatalf("memory is limited to %d", n)
	}
	clock.set(at(18, 0))
	expect("in the evening", evening)
	clock.set(at(12, 0)) // somebody puts the clock back
	expect("at noon again", day)
	clock.set(at(22, 0)) // the machine slept
	expect("late", evening)
	clock.set(at(23, 0))
	expect("at night", day)
	update(func(c *config.Config) { c.Network.Metered = true })
	expect("metered", Limits{Upload: 1000, Metered: true})
	update(func(c *config.Config) { c.Network.Metered, c.Network.Schedule.To = false, "23:30" })
	expect("a longer evening", evening)
	update(func(c *config.Config) { c.Limits.Memory = 0 })
	if n := <-memory; n != math.MaxInt64 {
		t.Fatalf("memory is limited to %d", n)
	}
	cancel()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if clock.most > clockCheck {
		t.Fatalf("it slept for %s without a look at the clock", clock.most)
	}
}
