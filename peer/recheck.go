// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"fmt"
	"time"
)

const (
	// lookRound is how many looks it takes until every file was looked at, in use or not.
	lookRound = 60
	// maxSettle is the longest that a file which is changed all the time is left in peace.
	maxSettle = time.Minute
)

// watchFiles looks for files that somebody else removed or replaced, and for room on disks that were
// full. Files that are changed where they lie are noticed as they are read: see storeFile.readAt.
func (e *Engine) watchFiles() {
	ticker := time.NewTicker(e.config.times.look)
	defer ticker.Stop()
	for n := int64(0); ; n++ {
		select {
		case <-e.ctx.Done():
			return
		case <-ticker.C:
		}
		for _, s := range e.all() {
			turn := s.serial%lookRound == n%lookRound
			if s.loaded() == nil && !turn {
				continue // none of its files is in use, and it writes nothing
			}
			s.store.look(turn)
			s.retryWriting()
		}
	}
}

// fileChanged is called by the store, maybe in the middle of a read.
func (s *Swarm) fileChanged(f *storeFile) {
	s.mu.Lock()
	s.changed = append(s.changed, f)
	s.mu.Unlock()
	s.wake()
}

// recheckChanged begins to hash the files that were changed.
func (s *Swarm) recheckChanged() {
	s.mu.Lock()
	changed := s.changed
	s.changed = nil
	s.mu.Unlock()
	for _, f := range changed {
		s.wg.Go(func() { s.recheckFile(f) })
	}
}

// recheckFile hashes a file that somebody else changed, once it is left in peace. Until then nothing
// of it is sent; then what is still right in it is, and the rest is fetched again where it is wanted.
func (s *Swarm) recheckFile(f *storeFile) {
	_, done, err := s.use()
	if err != nil {
		return
	}
	defer done()
	s.engine.logger.Warn("a file was changed by another program", "infohash", s.infohash.HexString(), "path", f.path)
	s.setSpoiled(fmt.Sprintf("The file %s was changed by another program: it is read again before any more of it is sent.", f.path))
	for rest := s.engine.config.times.settle; ; rest = min(2*rest, maxSettle) {
		pieces := s.store.doubtFile(f)
		s.updateCompletion(pieces)
		there, err := s.settleFile(f, rest)
		if err != nil {
			return
		}
		if !there {
			if err := s.store.loseFile(f, pieces); err != nil {
				s.engine.logger.Warn("noting what is lost failed", "infohash", s.infohash.HexString(), "error", err)
			}
			s.updateCompletion(pieces)
			break
		}
		if s.hash(s.ctx, pieces) != nil {
			return
		}
		if f.settled() {
			break
		}
	}
	s.checkFiles()
	s.wake()
}

func (s *Swarm) updateCompletion(pieces []int) {
	t := s.loaded()
	if t == nil {
		return
	}
	for _, i := range pieces {
		t.Piece(i).UpdateCompletion()
	}
}

// settleFile waits until the file is there and left in peace. While a file that was fetched is not
// there, fetching stops, for its disk may have been taken out. Somebody puts the file back, or has it
// fetched again by Resume: false.
func (s *Swarm) settleFile(f *storeFile, rest time.Duration) (there bool, err error) {
	var resumed <-chan struct{} // nil: the file was there so far
	there, err = f.settle(s.ctx, rest, func() (giveUp bool) {
		if s.store.inPlace != "" {
			s.setSpoiled(fmt.Sprintf("The file %s has gone: put it back, or remove the video.", f.path))
			return false
		}
		if resumed == nil {
			s.setSpoiled(fmt.Sprintf("The file %s has gone: put it back, or resume to fetch it again.", f.path))
			s.mu.Lock()
			s.halted, resumed = true, s.resumed
			s.gone++
			s.mu.Unlock()
			if t := s.loaded(); t != nil {
				t.DisallowDataDownload()
			}
		}
		select {
		case <-resumed:
			return true
		default:
			return false
		}
	})
	if resumed == nil {
		return there, err
	}
	s.mu.Lock()
	s.gone--
	again := s.halted && s.gone == 0 && s.problem == "" && !s.paused
	s.mu.Unlock()
	if again && err == nil {
		s.Resume()
	}
	return there, err
}

// checkFiles says so when a file is not what it was.
func (s *Swarm) checkFiles() {
	switch {
	case s.store.complete():
		s.setSpoiled("")
	case s.store.inPlace != "":
		s.setSpoiled(fmt.Sprintf("The file %s has been changed since it was published: put the old one back, or publish it anew.", s.store.inPlace))
	default:
		s.setSpoiled("")
	}
}

func (s *Swarm) setSpoiled(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoiled = text
}
