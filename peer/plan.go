// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"github.com/anacrolix/torrent"
)

// downloadFront is how much of a download, in bytes, is put before the rest, so that it comes in
// order by and large and still takes rare pieces where it finds them.
const downloadFront = 32 << 20

// span is a range of pieces, [begin, end).
type span struct{ begin, end int }

func (w span) has(i int) bool { return i >= w.begin && i < w.end }

// plan says which pieces may be asked for:
//   - with streams, what each has in front of its playhead, and if the rest is wanted too, a
//     read-ahead's worth of it: the playhead must not wait behind a long WebSeed response;
//   - without, everything if the rest is wanted, and else nothing.
//
// The client puts the pieces in front of a playhead first by itself (see torrent.Reader).
func (s *Swarm) plan() {
	if !s.isReady() {
		return
	}
	s.planning.Lock()
	defer s.planning.Unlock()
	s.mu.Lock()
	download := s.download
	var windows []span
	for st := range s.streams {
		if st.window.end > st.window.begin {
			windows = append(windows, st.window)
		}
	}
	s.mu.Unlock()

	rest := span{}
	if download && len(windows) == 0 {
		rest = span{0, s.torrent.NumPieces()}
	}
	extra := map[int]bool{}
	if download && len(windows) > 0 {
		from := windows[0].end
		for _, w := range windows {
			from = max(from, w.end)
		}
		extra = s.nextMissing(from, s.engine.config.ReadAhead, windows)
	}
	changed := s.store.setOpen(func(i int) bool {
		for _, w := range windows {
			if w.has(i) {
				return true
			}
		}
		return rest.has(i) || extra[i]
	})
	for _, i := range changed {
		s.torrent.Piece(i).UpdateCompletion()
	}
	if download {
		s.order(len(windows) == 0)
	}
}

// nextMissing returns the missing pieces from one piece on, around the end, that make up size
// bytes and are in none of the windows.
func (s *Swarm) nextMissing(from int, size int64, windows []span) map[int]bool {
	st := s.store
	st.mu.Lock()
	defer st.mu.Unlock()
	pieces := map[int]bool{}
	n := len(st.states)
next:
	for k := 0; k < n && size > 0; k++ {
		i := (from + k) % n
		if st.states[i] != pieceMissing {
			continue
		}
		for _, w := range windows {
			if w.has(i) {
				continue next
			}
		}
		pieces[i] = true
		size -= st.pieceLengthLocked(i)
	}
	return pieces
}

// order gives every piece a priority, for Download: the first missing ones come first.
func (s *Swarm) order(fromStart bool) {
	s.mu.Lock()
	first := !s.queued
	s.queued = true
	s.mu.Unlock()
	if first {
		s.torrent.DownloadAll()
	}
	if !fromStart {
		return
	}
	front := s.nextMissing(0, downloadFront, nil)
	for i := range front {
		if !s.front[i] { // planning is held, and nobody else uses front
			s.front[i] = true
			// Of all priorities this one is served in the order of the pieces.
			s.torrent.Piece(i).SetPriority(torrent.PiecePriorityReadahead)
		}
	}
}

// Download fetches every file, by and large in order. It takes effect when the metadata is known.
func (s *Swarm) Download() {
	s.mu.Lock()
	s.download = true
	s.mu.Unlock()
	s.wake()
}

// Downloading reports whether Download was called.
func (s *Swarm) Downloading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.download
}
