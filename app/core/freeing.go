// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"fmt"
	"sync"
	"time"

	"shoal/app/config"
)

const (
	// judgedFrom is how many bytes are deleted before it is asked what that has freed: beside fewer, what
	// other programs write would count.
	judgedFrom = 64 << 20
	// freesLate is how long a file system may take to free what was deleted.
	freesLate = 2 * time.Minute
)

// freeing watches whether deleting frees anything: where snapshots, clones or hard links hold on to the
// bytes it does not, and going on would delete one video after the other for nothing.
type freeing struct {
	least int64      // see judgedFrom
	turn  sync.Mutex // one deletion at a time, until it is noted

	mu      sync.Mutex
	before  space     // before the first deletion that has not shown yet
	bytes   int64     // deleted since; 0 where all has shown
	since   time.Time // the last deletion
	problem string    // for a person; "" while deleting helps
}

// space is what of a folder's disk is free, and how much is kept, in bytes; and the settings at that time.
type space struct {
	dir        string
	sharing    config.Sharing
	free, kept int64
}

func (a *App) spaceNow() space {
	cfg := a.options.Config.Get()
	s := space{dir: cfg.DownloadsDir(a.options.DataDir), sharing: cfg.Sharing}
	for _, e := range a.keeper.all() {
		if e.Path == "" {
			_, bytes := a.live(e)
			s.kept += bytes
		}
	}
	s.free = a.free(s.dir)
	return s
}

// deleted notes that so many bytes were deleted.
func (f *freeing) deleted(before space, bytes int64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes == 0 {
		f.before = before
	}
	f.bytes += bytes
	f.since = now
}

// forget is for when there is space enough.
func (f *freeing) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes, f.problem = 0, ""
}

// judge reports whether more may be deleted for the space that stays free. Where not, soon says that what
// was deleted may show yet, and found that it was found just now that it does not.
func (f *freeing) judge(s space, now time.Time) (may, soon, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fetched := max(s.kept-(f.before.kept-f.bytes), 0)
	switch {
	case f.bytes == 0:
		return true, false, false
	case s.free < 0, s.free >= s.sharing.KeepFree, s.dir != f.before.dir, s.sharing != f.before.sharing,
		s.free-f.before.free+fetched >= f.bytes/2:
		f.bytes, f.problem = 0, ""
		return true, false, false
	case f.bytes < f.least:
		return true, false, false
	case f.problem != "":
		return false, false, false
	case now.Sub(f.since) < freesLate:
		return false, true, false
	}
	f.problem = fmt.Sprintf("Deleting frees no space on the disk of %s (snapshots or links to the files may hold on to it), so Shoal deletes no more "+
		"for the space that is to stay free: free some by hand, or let less stay free in the settings.", s.dir)
	return false, false, true
}

// toFree does the work of deleting one video for the space that stays free, where that helps. What was
// deleted before is known then.
func (a *App) toFree(work func()) {
	a.freeing.turn.Lock()
	defer a.freeing.turn.Unlock()
	if may, _ := a.mayFree(); may {
		work()
	}
}

// mayFree reports whether deleting helps the space that stays free. Where it does not, soon says that it may
// yet.
func (a *App) mayFree() (may, soon bool) {
	may, soon, found := a.freeing.judge(a.spaceNow(), a.keeper.now())
	if found {
		a.logger.Warn("deleting has freed nothing, so no more is deleted for the space that stays free", "problem", a.DiskProblem())
	}
	return may, soon
}

// DiskProblem says for a person what keeps the disk from being kept to what the settings say, "" for
// nothing.
func (a *App) DiskProblem() string {
	a.freeing.mu.Lock()
	defer a.freeing.mu.Unlock()
	return a.freeing.problem
}
