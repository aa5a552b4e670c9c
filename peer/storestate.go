// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"os"
	"path/filepath"
)

// setOpen says which pieces may be asked for, and returns those whose answer to the engine
// changes by it.
func (s *store) setOpen(want func(piece int) bool) (changed []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.opened {
		w := want(i)
		if w == s.opened[i] {
			continue
		}
		s.opened[i] = w
		if s.states[i] == pieceMissing {
			changed = append(changed, i)
		}
	}
	return changed
}

// doubtful returns the pieces that must be hashed before anything is known of them.
func (s *store) doubtful() (pieces []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, st := range s.states {
		if st == pieceDoubt {
			pieces = append(pieces, i)
		}
	}
	return pieces
}

// setOpenOne says whether one piece may be asked for.
func (s *store) setOpenOne(piece int, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened[piece] = open
}

// openMissing returns the first n missing pieces that may be asked for.
func (s *store) openMissing(n int) (pieces []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, st := range s.states {
		if st == pieceMissing && s.opened[i] && len(pieces) < n {
			pieces = append(pieces, i)
		}
	}
	return pieces
}

// settled writes down that every doubt has been resolved.
func (s *store) settled() error { return s.db.put(s.ih, change{known: true}) }

// complete reports whether every piece is.
func (s *store) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info != nil && s.missing == 0
}

// have reports whether a piece is complete.
func (s *store) have(piece int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[piece].complete()
}

// bitfield returns how much of each of n equal parts is complete, from 0 to 1.
func (s *store) bitfield(n int) []float32 {
	parts := make([]float32, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	pieces := len(s.states)
	if pieces == 0 || n == 0 {
		return parts
	}
	for i := range parts {
		from := i * pieces / n
		to := max((i+1)*pieces/n, from+1)
		have := 0
		for _, st := range s.states[from:to] {
			if st.complete() {
				have++
			}
		}
		parts[i] = float32(have) / float32(to-from)
	}
	return parts
}

// checkpoint syncs what was written to the disk and notes it, so that it outlives a power cut.
func (s *store) checkpoint() error {
	s.mu.Lock()
	pieces := make([]int, 0, len(s.unsynced))
	for i := range s.unsynced {
		pieces = append(pieces, i)
	}
	clear(s.unsynced)
	files := s.files
	s.mu.Unlock()
	if len(pieces) == 0 {
		return nil
	}
	var errs []error
	for _, f := range files {
		errs = append(errs, f.sync())
	}
	err := errors.Join(errs...)
	if err == nil {
		err = s.markSynced(pieces)
	}
	if err != nil {
		s.mu.Lock()
		for _, i := range pieces {
			s.unsynced[i] = struct{}{}
		}
		s.mu.Unlock()
	}
	return err
}

func (s *store) markSynced(pieces []int) error {
	s.dbMu.Lock()
	c := change{pieces: make(map[int]pieceState, len(pieces))}
	s.mu.Lock()
	for _, i := range pieces {
		if s.states[i] == pieceWritten {
			s.states[i] = pieceDurable
			c.pieces[i] = pieceDurable
		}
	}
	s.mu.Unlock()
	err := s.db.put(s.ih, c)
	s.dbMu.Unlock()
	if err != nil {
		return err
	}
	return s.db.sync()
}

// deleteFiles deletes the swarm's files and its folders where they are empty then. A file that is
// seeded in place stays.
func (s *store) deleteFiles() error {
	s.mu.Lock()
	files, root, inPlace := s.files, s.root, s.inPlace
	s.mu.Unlock()
	if inPlace != "" || root == "" {
		return nil
	}
	var errs []error
	for _, f := range files {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, f := range files {
		for dir := filepath.Dir(f.path); len(dir) >= len(root); dir = filepath.Dir(dir) {
			if os.Remove(dir) != nil {
				break // somebody else's file is in it
			}
		}
	}
	return errors.Join(errs...)
}

// makeEmptyFiles creates the files that have no bytes and so are never written to.
func (s *store) makeEmptyFiles() error {
	s.mu.Lock()
	files := s.files
	s.mu.Unlock()
	var errs []error
	for _, f := range files {
		if f.length == 0 && !f.readOnly {
			_, err := f.handle(true) // closed when idle
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
