// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	usageFresh = 5 * time.Second        // for how long a measurement is good
	usageWait  = 300 * time.Millisecond // for how long who asks waits for one
)

// usage keeps what of the disk is used and free. It is measured beside who asks, for a slow disk takes
// long over it.
type usage struct {
	ended atomic.Bool // with the program, which does not wait for a disk

	mu    sync.Mutex
	last  measured
	begun time.Time     // when what is under way began
	done  chan struct{} // closed when it ends; nil for none
}

// measured is what was found, in bytes, and when. Used is -1 before the first time, and free where it is
// not known.
type measured struct {
	used, free int64
	at         time.Time
}

// usage returns what was measured last. A measurement that is due is begun, and waited for a little.
func (a *App) usage() measured {
	u := &a.disk
	u.mu.Lock()
	if u.done == nil && time.Since(u.last.at) >= usageFresh {
		done := make(chan struct{})
		u.begun, u.done = time.Now(), done
		go func() {
			now := a.measure(u.ended.Load)
			u.mu.Lock()
			defer u.mu.Unlock()
			if !u.ended.Load() {
				u.last = now
			}
			u.done = nil
			close(done)
		}()
	}
	done, wait := u.done, time.Until(u.begun.Add(usageWait))
	u.mu.Unlock()
	if done != nil {
		select {
		case <-done:
		case <-time.After(wait):
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last.at.IsZero() {
		return measured{used: -1, free: -1}
	}
	return u.last
}

// measure takes as long as the disk does, or until ended.
func (a *App) measure(ended func() bool) measured {
	cfg := a.options.Config.Get()
	m := measured{free: a.free(cfg.DownloadsDir(a.options.DataDir))}
	m.used = diskUsed(ended, mediaDirs(cfg, a.options.DataDir)...)
	m.at = time.Now()
	return m
}

// diskUsed adds up the files' sizes under folders, in bytes on disk where that is known.
func diskUsed(ended func() bool, dirs ...string) int64 {
	var sum int64
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // what cannot be read counts as nothing
			if ended() {
				return filepath.SkipAll
			}
			if err != nil {
				if d != nil && d.IsDir() {
					return filepath.SkipDir
				}
				return nil // gone meanwhile
			}
			if info, err := d.Info(); err == nil && d.Type().IsRegular() {
				sum += fileUsed(info)
			}
			return nil
		})
	}
	return sum
}
