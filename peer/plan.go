// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"github.com/anacrolix/torrent"
)

// downloadFront is how much of a download, in bytes, is put before the rest, so that it comes in
// order by and large and still takes rare pieces where it finds them.
const downloadFront = 32 << 20

// A seeder answers the requests it has in any order it likes (ours does), so what is asked for at one
// time arrives in a jumble. It must not be more than comes in a short while, or the playhead waits
// for a gap while what lies far ahead arrives.
const (
	frontSeconds = 2       // of what comes a second
	minFront     = 1 << 20 // bytes
)

// span is a range of pieces, [begin, end).
type span struct{ begin, end int }

func (w span) has(i int) bool { return i >= w.begin && i < w.end }

// plan says which pieces may be asked for:
//   - with streams, the next missing pieces in front of each playhead, as many as come in a short
//     while, and if the rest is wanted too, as much of that once there is nothing missing in front: the
//     playhead must not wait behind what is not needed yet;
//   - without, everything if the rest is wanted, and else nothing.
//
// The client puts the pieces in front of a playhead first by itself (see torrent.Reader).
func (s *Swarm) plan() {
	t := s.loaded()
	if t == nil || !s.isReady() {
		return
	}
	s.planning.Lock()
	defer s.planning.Unlock()
	metered := s.engine.Limits().Metered
	s.mu.Lock()
	download := s.download && !metered
	var windows []span
	for st := range s.streams {
		if st.window.end > st.window.begin {
			windows = append(windows, st.window)
		}
	}
	s.mu.Unlock()

	rest := span{}
	if download && len(windows) == 0 {
		rest = span{0, t.NumPieces()}
	}
	extra := map[int]bool{}
	if download && len(windows) > 0 {
		from := windows[0].end
		for _, w := range windows {
			from = max(from, w.end)
		}
		room := min(s.engine.config.ReadAhead, s.frontSize())
		for _, w := range windows {
			room -= s.store.missingIn(w)
		}
		extra = s.nextMissing(from, room, windows)
	}
	for i, w := range windows {
		windows[i].end = s.store.frontEnd(w, s.frontSize())
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
		t.Piece(i).UpdateCompletion()
	}
	if download {
		s.order(t, len(windows) == 0)
	}
}

// frontSize is how many missing bytes in front of a playhead may be asked for.
func (s *Swarm) frontSize() int64 {
	if r := s.rates.Load(); r != nil {
		return max(minFront, int64(frontSeconds*r.down))
	}
	return minFront
}

// frontEnd is where the pieces of a span end that hold its first size missing bytes.
func (st *store) frontEnd(w span, size int64) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := w.begin; i < w.end; i++ {
		if st.states[i] != pieceMissing {
			continue
		}
		if size -= st.pieceLengthLocked(i); size <= 0 {
			return i + 1
		}
	}
	return w.end
}

// missingIn is how many bytes the missing pieces of a span have.
func (st *store) missingIn(w span) (size int64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := w.begin; i < w.end; i++ {
		if st.states[i] == pieceMissing {
			size += st.pieceLengthLocked(i)
		}
	}
	return size
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
func (s *Swarm) order(t *torrent.Torrent, fromStart bool) {
	if s.ordered != t { // planning is held
		clear(s.front)
		t.DownloadAll()
		s.ordered = t
	}
	if !fromStart {
		return
	}
	front := s.nextMissing(0, downloadFront, nil)
	for i := range front {
		if !s.front[i] {
			s.front[i] = true
			// Of all priorities this one is served in the order of the pieces.
			t.Piece(i).SetPriority(torrent.PiecePriorityReadahead)
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
