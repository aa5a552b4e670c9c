// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// errChanged says that a file is not what it was when it was verified.
var errChanged = errors.New("the file was changed since it was verified")

// guard knows how a file looked when what is verified of it was read. While the file looks different,
// nothing of it goes to peers or streams. It is guarded by the file's mu.
//
// A file that we are writing ourselves has no look to compare with, until its last piece is there.
type guard struct {
	seen     fileRecord
	round    int  // counts what seen was set to after a change
	known    bool // seen is set
	wrote    bool // we have written since
	doubt    bool // it has changed: it is read for hashing alone
	checking bool // recheckFile is at it
	changed  func()
}

// watch has the store told when the file is found changed.
func (s *store) watch(f *storeFile) {
	f.guard.changed = func() { s.onChanged(f) }
}

// readAt reads for peers and streams. The file is looked at after the bytes are read: whoever writes
// to a file changes its mtime before its bytes, so bytes that are read before the mtime changes are
// the old ones.
func (f *storeFile) readAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	round := f.guard.round
	f.mu.Unlock()
	for range fileTries {
		n, h, err := f.read(b, off)
		if errors.Is(err, fs.ErrNotExist) && f.gone() {
			return 0, errChanged
		}
		if h == nil {
			return 0, err
		}
		same, serr := f.unchanged(h, round)
		switch {
		case same:
			return n, err
		case errors.Is(serr, errChanged):
			return 0, serr // and it has been hashed again since
		case errors.Is(serr, os.ErrClosed):
			continue // closed meanwhile, as idle or to make room
		}
		f.suspect()
		return 0, errChanged
	}
	return 0, os.ErrClosed
}

// unchanged reports whether an open file is what was verified, and no other round has begun since it was
// read.
func (f *storeFile) unchanged(h *os.File, round int) (bool, error) {
	f.mu.Lock()
	seen, compare, doubt := f.guard.seen, f.guard.known && !f.guard.wrote, f.guard.doubt
	other := f.guard.round != round
	f.mu.Unlock()
	if other {
		return false, errChanged
	}
	if doubt || !compare {
		return !doubt, nil
	}
	fi, err := h.Stat()
	if err != nil {
		return false, err
	}
	return recordOf(fi) == seen, nil
}

// Verified reports whether a file of the swarm that looks like fi is the one that was verified: whoever
// serves it by other ways asks before it gives any of it.
func (s *Swarm) Verified(file int, fi os.FileInfo) bool {
	s.store.mu.Lock()
	if file < 0 || file >= len(s.store.files) || s.store.files[file].left > 0 {
		s.store.mu.Unlock()
		return false
	}
	f := s.store.files[file]
	s.store.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.guard.known && !f.guard.wrote && !f.guard.doubt && recordOf(fi) == f.guard.seen
}

// gone takes note that there is no file, and reports whether there was one.
func (f *storeFile) gone() bool {
	f.mu.Lock()
	was := f.guard.known || f.guard.wrote
	f.mu.Unlock()
	if was {
		f.suspect()
	}
	return was
}

// suspect stops the file from being served until it has been hashed.
func (f *storeFile) suspect() {
	f.mu.Lock()
	g := &f.guard
	g.doubt = true
	first := !g.checking && !f.closed
	g.checking = g.checking || first
	f.mu.Unlock()
	if first {
		g.changed()
	}
}

// look compares what lies at the path with what was verified: an open file stays as it was when
// another is put in its place.
func (f *storeFile) look() {
	for range 2 { // the second time to be sure, since we may have finished the file between
		fi, err := os.Stat(f.path)
		f.mu.Lock()
		g := &f.guard
		there := g.known || g.wrote
		fine := g.doubt || f.closed || !there || err == nil && (g.wrote || recordOf(fi) == g.seen)
		f.mu.Unlock()
		if fine || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // a file that cannot be looked at may still be read
		}
	}
	f.suspect()
}

// finished is called when the last piece of the file is verified. It returns how the file looks, or
// false when it has gone.
func (f *storeFile) finished() (fileRecord, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.guard.wrote && f.guard.known {
		return f.guard.seen, true // not as it looks now: somebody may have changed it during the hash
	}
	fi, err := os.Stat(f.path)
	if err != nil {
		return fileRecord{}, false
	}
	f.guard.seen, f.guard.known, f.guard.wrote = recordOf(fi), true, false
	return f.guard.seen, true
}

// settle waits until the file has looked the same for a while, since the mtime of a file that is
// written to moves in steps of some milliseconds. From then on it is served again, as far as its pieces
// are verified. While there is no file, missing is called; true gives the file up.
func (f *storeFile) settle(ctx context.Context, rest time.Duration, missing func() bool) (there bool, err error) {
	var last fileRecord
	for first := true; ; first = false {
		fi, err := os.Stat(f.path)
		if err != nil && missing() {
			return false, nil
		}
		if err == nil && !first && recordOf(fi) == last {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.release()
			f.guard.seen, f.guard.known, f.guard.wrote, f.guard.doubt = last, true, false, false
			f.guard.round++
			return true, nil
		}
		last = fileRecord{size: -1}
		if err == nil {
			last = recordOf(fi)
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(rest):
		}
	}
}

// settled reports whether the file is still as settle found it, and ends the check if so.
func (f *storeFile) settled() bool {
	fi, err := os.Stat(f.path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || recordOf(fi) != f.guard.seen && !f.guard.wrote {
		f.guard.doubt = true
	}
	f.guard.checking = f.guard.doubt
	return !f.guard.doubt
}

// abandon has a file that has gone written anew.
func (f *storeFile) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.release()
	f.guard = guard{changed: f.guard.changed, round: f.guard.round + 1}
}

// release closes the file until it is needed again. mu is held.
func (f *storeFile) release() {
	f.cache.closed(f)
	if f.f != nil {
		_ = f.f.Close() // what was written is in the page cache; sync reopens the file
		f.f, f.writable = nil, false
	}
}

// look looks at the files that are in use, or at all of them.
func (s *store) look(all bool) {
	s.mu.Lock()
	files := s.files
	s.mu.Unlock()
	for _, f := range files {
		f.mu.Lock()
		use := f.f != nil
		f.mu.Unlock()
		if all || use {
			f.look()
		}
	}
}

// doubtFile takes back what is known of a file's pieces and returns them.
func (s *store) doubtFile(f *storeFile) (pieces []int) {
	f.mu.Lock()
	wrote := f.guard.wrote
	f.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := s.firstPiece(f); i < s.endPiece(f); i++ {
		if s.states[i] == pieceMissing && wrote {
			continue // it is being fetched
		}
		if s.states[i].complete() {
			s.uncomplete(i)
		}
		s.states[i] = pieceDoubt
		pieces = append(pieces, i)
	}
	return pieces
}

// uncomplete corrects the figures for a piece that is no longer complete. s.mu is held.
func (s *store) uncomplete(piece int) {
	delete(s.unsynced, piece)
	s.missing++
	s.completed.Add(-s.pieceLengthLocked(piece))
	for _, f := range s.filesOf(piece) {
		f.left++
	}
}

// loseFile writes down that the pieces of a file that has gone are missing.
func (s *store) loseFile(f *storeFile, pieces []int) error {
	f.abandon()
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	c := change{pieces: map[int]pieceState{}}
	s.mu.Lock()
	for _, i := range pieces {
		s.states[i], c.pieces[i] = pieceMissing, pieceMissing
	}
	for i, g := range s.files {
		if g == f {
			c.unfiled = append(c.unfiled, i)
		}
	}
	s.mu.Unlock()
	return s.db.put(s.ih, c)
}
