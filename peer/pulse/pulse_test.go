// SPDX-License-Identifier: AGPL-3.0-or-later

package pulse

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestComesWhenItSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Duration
		began := time.Now()
		p := New(func() time.Duration {
			calls = append(calls, time.Since(began))
			if len(calls) == 3 {
				return Never
			}
			return time.Duration(len(calls)) * time.Minute
		})
		p.Wake()
		time.Sleep(time.Hour)
		p.Stop()
		p.Wait()
		want := []time.Duration{0, time.Minute, 3 * time.Minute}
		if len(calls) != len(want) {
			t.Fatalf("called at %v, not at %v", calls, want)
		}
		for i := range want {
			if calls[i] != want[i] {
				t.Fatalf("called at %v, not at %v", calls, want)
			}
		}
	})
}

func TestWakeComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Duration
		began := time.Now()
		p := New(func() time.Duration {
			calls = append(calls, time.Since(began))
			return time.Hour
		})
		p.Wake()
		time.Sleep(time.Minute)
		p.Wake()
		time.Sleep(time.Hour) // the timer of the first call would be due within it
		synctest.Wait()
		p.Stop()
		p.Wait()
		if len(calls) != 3 || calls[1] != time.Minute || calls[2] != time.Hour+time.Minute {
			t.Fatalf("called at %v", calls)
		}
	})
}

func TestWakeWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, running atomic.Int32
		p := New(func() time.Duration {
			if running.Add(1) > 1 {
				t.Error("two calls at one time")
			}
			time.Sleep(time.Second)
			running.Add(-1)
			calls.Add(1)
			return Never
		})
		p.Wake()
		synctest.Wait()
		for range 10 {
			p.Wake()
		}
		time.Sleep(time.Minute)
		if n := calls.Load(); n != 2 {
			t.Errorf("ten wakes during a call made %d calls, not one more", n-1)
		}
		p.Stop()
		p.Wait()
	})
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		p := New(func() time.Duration {
			time.Sleep(time.Second)
			calls.Add(1)
			return time.Second
		})
		p.Wake()
		synctest.Wait()
		p.Wake()
		p.Stop()
		p.Wait()
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls when Wait returned, not the one that ran", n)
		}
		p.Wake()
		time.Sleep(time.Hour)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls after Stop", n-1)
		}
	})
}

func TestHoldsNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	var calls atomic.Int32
	pulses := make([]*Pulse, 1000)
	for i := range pulses {
		pulses[i] = New(func() time.Duration {
			calls.Add(1)
			return time.Hour
		})
		pulses[i].Wake()
	}
	for begun := time.Now(); calls.Load() < 1000 || runtime.NumGoroutine() > before+10; time.Sleep(time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d goroutines for %d pulses that wait", runtime.NumGoroutine()-before, len(pulses))
		}
	}
	for _, p := range pulses {
		p.Stop()
		p.Wait()
	}
}
