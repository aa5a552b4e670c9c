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

// errInterrupted ends a Read that waits for bytes from before a seek.
var errInterrupted = errors.New("read interrupted by a seek")

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

// stream opens a reader for libmpv.
func (s *source) stream() (mpv.Stream, error) {
	r := &reader{src: s}
	if err := r.reopen(); err != nil {
		s.fail(err)
		return nil, err
	}
	s.mu.Lock()
	s.readers[r] = struct{}{}
	s.mu.Unlock()
	if s.ctx.Err() != nil { // shut meanwhile: shut may not have seen the reader
		r.Cancel()
	}
	return r, nil
}

// shut ends every Read now and to come.
func (s *source) shut() {
	s.cancel()
	for _, r := range s.list() {
		r.Cancel()
	}
}

// interrupt ends the Reads in progress that are numbered mark or lower.
func (s *source) interrupt(mark int64) {
	for _, r := range s.list() {
		r.interrupt(mark)
	}
}

// resume lets interrupted readers read on and says whether there were any.
func (s *source) resume() (any bool) {
	for _, r := range s.list() {
		r.mu.Lock()
		any = any || r.failing
		r.failing = false
		r.mu.Unlock()
	}
	return any
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

// isOpen says whether libmpv holds the file open.
func (s *source) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.readers) > 0
}

// fail keeps the first failure that nobody asked for.
func (s *source) fail(err error) {
	if s.ctx.Err() != nil || errors.Is(err, errInterrupted) || errors.Is(err, errCancelled) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
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

// reader is the mpv.Stream over a source's Media. It outlives the Media: an interrupted or
// failed one is closed, and the next Read opens another at the same place.
type reader struct {
	src *source

	mu        sync.Mutex
	media     *openMedia // nil: to be opened by the next Read
	size      int64
	pos       int64
	reading   int64 // number of the Read in progress, 0 for none
	skip      int64 // number of a Read that was interrupted before it had a Media
	failing   bool  // a Read was interrupted, and libmpv has not moved away since
	cancelled bool
}

// openMedia is a Media that is open or being opened, with what ends it.
type openMedia struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu          sync.Mutex
	media       Media // nil while being opened
	interrupted bool
}

// stop ends the opening or a Read in progress, for good.
func (o *openMedia) stop() {
	o.mu.Lock()
	o.interrupted = true
	m := o.media
	o.mu.Unlock()
	o.cancel()
	if m != nil {
		m.Cancel()
	}
}

func (o *openMedia) stopped() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.interrupted
}

func (o *openMedia) close() error {
	defer o.cancel()
	if o.media == nil {
		return nil
	}
	return o.media.Close()
}

// reopen makes r.media an open Media at r.pos. libmpv's goroutine calls it; it returns when the
// Media is stopped, even if the Opener does not.
func (r *reader) reopen() error {
	ctx, cancel := context.WithCancel(r.src.ctx)
	o := &openMedia{ctx: ctx, cancel: cancel}
	r.mu.Lock()
	if r.cancelled {
		r.mu.Unlock()
		cancel()
		return errCancelled
	}
	if r.reading > 0 && r.skip == r.reading {
		r.mu.Unlock()
		cancel()
		return errInterrupted
	}
	r.media = o
	pos := r.pos
	r.mu.Unlock()

	m, err := openWithin(ctx, r.src.open)
	if err == nil && pos != 0 {
		if _, err = m.Seek(pos, io.SeekStart); err != nil {
			_ = m.Close()
		}
	}
	if err != nil {
		r.drop(o)
		if o.stopped() {
			return errInterrupted
		}
		return fmt.Errorf("opening media: %w", err)
	}
	o.mu.Lock()
	o.media = m
	interrupted := o.interrupted
	o.mu.Unlock()
	if interrupted {
		m.Cancel()
		r.drop(o)
		return errInterrupted
	}
	r.mu.Lock()
	r.size = m.Size()
	r.mu.Unlock()
	return nil
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
				_ = res.media.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// drop closes o and lets the next Read open another.
func (r *reader) drop(o *openMedia) {
	r.mu.Lock()
	if r.media == o {
		r.media = nil
	}
	r.mu.Unlock()
	_ = o.close() // it failed or was interrupted: nothing new to say
}

// Read implements mpv.Stream. Once interrupted, it fails until libmpv seeks: demuxers try again, some
// more than once, before they look at what they were told to do.
func (r *reader) Read(b []byte) (int, error) {
	r.mu.Lock()
	if r.failing {
		r.mu.Unlock()
		return 0, errInterrupted
	}
	r.reading = r.src.reads.Add(1)
	o := r.media
	r.mu.Unlock()
	n, err := r.read(o, b)
	r.mu.Lock()
	r.reading = 0
	r.pos += int64(n)
	if errors.Is(err, io.EOF) && r.pos < r.size {
		err = io.ErrUnexpectedEOF
	}
	cancelled := r.cancelled
	r.failing = n == 0 && errors.Is(err, errInterrupted)
	r.mu.Unlock()
	switch {
	case n > 0:
		return n, nil // an error shows again at the next Read
	case cancelled:
		return 0, errCancelled
	case err != nil && !errors.Is(err, io.EOF):
		r.src.fail(err)
	}
	return n, err
}

func (r *reader) read(o *openMedia, b []byte) (int, error) {
	if o == nil {
		if err := r.reopen(); err != nil {
			return 0, err
		}
		r.mu.Lock()
		o = r.media
		r.mu.Unlock()
		if o == nil {
			return 0, errInterrupted
		}
	}
	n, err := o.media.Read(b)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	r.drop(o)
	if o.stopped() {
		return n, errInterrupted
	}
	return n, fmt.Errorf("reading media: %w", err)
}

// Seek implements mpv.Stream; libmpv seeks from the start only.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart || offset < 0 {
		return 0, errors.New("seek not from the start of the file")
	}
	r.mu.Lock()
	r.pos = offset
	r.failing = false
	o := r.media
	r.mu.Unlock()
	if o == nil {
		return offset, nil // the next Read opens there
	}
	if _, err := o.media.Seek(offset, io.SeekStart); err != nil {
		r.drop(o)
		if o.stopped() {
			return offset, nil
		}
		err = fmt.Errorf("seeking in media: %w", err)
		r.src.fail(err)
		return 0, err
	}
	return offset, nil
}

// Size implements mpv.Stream.
func (r *reader) Size() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size
}

// Cancel implements mpv.Stream.
func (r *reader) Cancel() {
	r.mu.Lock()
	r.cancelled = true
	o := r.media
	r.mu.Unlock()
	if o != nil {
		o.stop()
	}
}

// interrupt ends the Read in progress if it is numbered mark or lower.
func (r *reader) interrupt(mark int64) {
	r.mu.Lock()
	var o *openMedia
	if r.reading > 0 && r.reading <= mark {
		o = r.media
		r.skip = r.reading
	}
	r.mu.Unlock()
	if o != nil {
		o.stop()
	}
}

// Close implements mpv.Stream.
func (r *reader) Close() error {
	r.src.mu.Lock()
	delete(r.src.readers, r)
	r.src.mu.Unlock()
	r.Cancel()
	r.mu.Lock()
	o := r.media
	r.media = nil
	r.mu.Unlock()
	if o == nil {
		return nil
	}
	if err := o.close(); err != nil {
		return fmt.Errorf("closing media: %w", err)
	}
	return nil
}
