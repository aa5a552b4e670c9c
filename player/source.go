// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"shoal/player/mpv"
)

// errCancelled ends the Reads of a file that is let go.
var errCancelled = errors.New("file is no longer read")

// source is one file of a session: it opens readers for libmpv and keeps the first failure.
type source struct {
	open   Opener
	ctx    context.Context
	cancel context.CancelFunc
	reads  *atomic.Int64 // numbers the Reads of all sources of a player

	mu      sync.Mutex
	readers map[*reader]struct{}
	err     error
}

func newSource(open Opener, reads *atomic.Int64) *source {
	ctx, cancel := context.WithCancel(context.Background())
	return &source{open: open, ctx: ctx, cancel: cancel, reads: reads, readers: map[*reader]struct{}{}}
}

// stream opens a reader for libmpv. It returns when the source is shut or libmpv is told to
// load something else, even if the Opener does not.
func (s *source) stream() (mpv.Stream, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	r := &reader{src: s, cancel: cancel}
	s.mu.Lock()
	s.readers[r] = struct{}{}
	s.mu.Unlock()
	media, err := openWithin(ctx, s.open)
	if err != nil {
		s.remove(r)
		if ctx.Err() == nil {
			s.fail(fmt.Errorf("opening media: %w", err))
		}
		cancel()
		return nil, err
	}
	if !r.take(media) { // cancelled meanwhile
		s.remove(r)
		media.Cancel()
		return nil, errors.Join(errCancelled, media.Close())
	}
	return r, nil
}

// openWithin calls open and returns at the latest when ctx ends; a Media that comes later
// is closed.
func openWithin(ctx context.Context, open Opener) (Media, error) {
	type result struct {
		media Media
		err   error
	}
	done := make(chan result, 1)
	go func() {
		m, err := open(ctx)
		if err == nil && m == nil {
			err = errors.New("opener gave no media")
		}
		done <- result{m, err}
	}()
	select {
	case res := <-done:
		return res.media, res.err
	case <-ctx.Done():
		go func() {
			if res := <-done; res.err == nil {
				res.media.Cancel()
				_ = res.media.Close() // nobody is left to hear of it
			}
		}()
		return nil, ctx.Err()
	}
}

// shut ends every opening and Read now and to come.
func (s *source) shut() {
	s.cancel()
	s.release()
}

// release ends every opening and Read in progress; new readers can be opened.
func (s *source) release() {
	for _, r := range s.list() {
		r.Cancel()
	}
}

// waiting says whether the Read in progress is numbered mark or lower, and which it is.
func (s *source) waiting(mark int64) (number int64, ok bool) {
	for _, r := range s.list() {
		if n := r.reading.Load(); n > 0 && n <= mark {
			return n, true
		}
	}
	return 0, false
}

func (s *source) list() []*reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*reader, 0, len(s.readers))
	for r := range s.readers {
		list = append(list, r)
	}
	return list
}

func (s *source) remove(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readers, r)
}

// isOpen says whether libmpv holds the file open.
func (s *source) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.readers) > 0
}

// fail keeps the first failure.
func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.ctx.Err() == nil {
		s.err = err
	}
}

func (s *source) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// forgive forgets the failure, for another try.
func (s *source) forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = nil
}

// reader is one opening of a source, the mpv.Stream over its Media.
type reader struct {
	src     *source
	cancel  context.CancelFunc // of the context the Opener got
	media   Media
	pos     int64        // used by libmpv's reading thread alone
	reading atomic.Int64 // number of the Read in progress, 0 for none

	mu        sync.Mutex
	opened    bool
	cancelled bool
}

// take makes m the reader's Media, unless the reader was cancelled.
func (r *reader) take(m Media) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancelled {
		return false
	}
	r.media, r.opened = m, true
	return true
}

// Read implements mpv.Stream.
func (r *reader) Read(b []byte) (int, error) {
	r.reading.Store(r.src.reads.Add(1))
	n, err := r.media.Read(b)
	r.reading.Store(0)
	r.pos += int64(n)
	switch {
	case n > 0:
		return n, nil // an error shows again at the next Read
	case err == nil:
		return 0, nil
	case r.isCancelled():
		return 0, errCancelled
	case errors.Is(err, io.EOF) && r.pos >= r.media.Size():
		return 0, io.EOF
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	r.src.fail(fmt.Errorf("reading media: %w", err))
	return 0, err
}

// Seek implements mpv.Stream.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	pos, err := r.media.Seek(offset, whence)
	if err != nil {
		if !r.isCancelled() {
			r.src.fail(fmt.Errorf("seeking in media: %w", err))
		}
		return 0, err
	}
	r.pos = pos
	return pos, nil
}

// Size implements mpv.Stream.
func (r *reader) Size() int64 { return r.media.Size() }

// Cancel implements mpv.Stream. It also ends the opening.
func (r *reader) Cancel() {
	r.mu.Lock()
	r.cancelled = true
	opened := r.opened
	r.mu.Unlock()
	r.cancel()
	if opened {
		r.media.Cancel()
	}
}

func (r *reader) isCancelled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cancelled
}

// Close implements mpv.Stream.
func (r *reader) Close() error {
	r.src.remove(r)
	r.Cancel()
	if err := r.media.Close(); err != nil {
		return fmt.Errorf("closing media: %w", err)
	}
	return nil
}
