// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"math"
	"runtime/debug"
	"sync/atomic"
	"time"

	"shoal/app/config"
	"shoal/peer"
)

// Limits are the limits in force now.
type Limits struct {
	Upload    int64 `json:"upload"`    // bytes per second; 0: none
	Download  int64 `json:"download"`  // bytes per second; 0: none
	Scheduled bool  `json:"scheduled"` // they are the schedule's
	Metered   bool  `json:"metered"`   // only what is watched is fetched, and nothing is given
}

// limitsAt is what the settings ask for at a moment, and when that changes next: zero for never.
func limitsAt(cfg config.Config, now time.Time) (l Limits, next time.Time) {
	n := cfg.Network
	l = Limits{Upload: n.UploadLimit, Download: n.DownloadLimit, Metered: n.Metered}
	l.Scheduled, next = scheduleAt(n.Schedule, now)
	if l.Scheduled {
		l.Upload, l.Download = n.Schedule.UploadLimit, n.Schedule.DownloadLimit
	}
	return l, next
}

// engineLimits are the engine's limits at a moment.
func engineLimits(cfg config.Config, now time.Time) peer.Limits {
	l, _ := limitsAt(cfg, now)
	return peer.Limits{
		Upload: l.Upload, Download: l.Download, Metered: l.Metered,
		Connections: cfg.Limits.Connections, ConnectionsPerSwarm: cfg.Limits.ConnectionsPerSwarm,
		HalfOpen: cfg.Limits.HalfOpen, OpenFiles: cfg.Limits.OpenFiles,
	}
}

// clockCheck is how often the clock is looked at: it may be set, and a machine that slept wakes up
// at another time than its timers think.
const clockCheck = 20 * time.Second

// limiter keeps the engine to the limits of the settings, as the clock and the settings change.
type limiter struct {
	config    *config.Store
	engine    interface{ SetLimits(peer.Limits) }
	now       func() time.Time
	after     func(time.Duration) <-chan time.Time
	setMemory func(bytes int64) // the process's soft limit

	current atomic.Pointer[Limits]
	applied peer.Limits // serve's own
	memory  int64       // serve's own
}

func newLimiter(store *config.Store, engine interface{ SetLimits(peer.Limits) }) *limiter {
	l := &limiter{config: store, engine: engine, now: time.Now, after: time.After}
	l.setMemory = func(bytes int64) { debug.SetMemoryLimit(bytes) }
	now, _ := limitsAt(store.Get(), time.Now())
	l.current.Store(&now)
	return l
}

// serve runs until ctx ends.
func (l *limiter) serve(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	defer l.config.Subscribe(func(config.Config) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	for {
		wait := l.apply()
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-l.after(wait):
		}
	}
}

// apply brings in force what the settings ask for now. It returns how long until the next look.
func (l *limiter) apply() (wait time.Duration) {
	cfg, now := l.config.Get(), l.now()
	current, next := limitsAt(cfg, now)
	if limits := engineLimits(cfg, now); limits != l.applied {
		l.engine.SetLimits(limits)
		l.applied = limits
	}
	l.current.Store(&current)
	if memory := cfg.Limits.Memory; memory != l.memory {
		// The environment's GOMEMLIMIT holds as long as the settings name no limit.
		l.setMemory(memoryLimit(memory))
		l.memory = memory
	}
	if next.IsZero() {
		return clockCheck
	}
	return min(clockCheck, max(0, next.Sub(now)))
}

// memoryLimit is a setting as debug.SetMemoryLimit takes it.
func memoryLimit(setting int64) int64 {
	if setting <= 0 {
		return math.MaxInt64
	}
	return setting
}
