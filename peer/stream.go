// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/anacrolix/torrent"
)

// ErrCancelled is what Read returns after Cancel or Close.
var ErrCancelled = errors.New("the stream was cancelled")

// Stream reads one file of a swarm while it arrives: an io.ReadSeekCloser whose position drives
// what is fetched first. Fetched is what lies between the playhead and the read-ahead, and no more
// than a quarter of it beyond. Read and Seek must not be called at the same time as each other;
// Cancel, Close and SetReadAhead may be called at any time.
type Stream struct {
	swarm  *Swarm
	file   File
	offset int64 // of the file in the torrent

	ctx    context.Context
	cancel context.CancelCauseFunc

	reading   sync.Mutex // held by Read, Seek and Close
	reader    torrent.Reader
	pos       int64
	closed    bool
	done      func() // see Swarm.use
	readAhead int64  // as the reader has it

	mu     sync.Mutex
	wanted int64 // read-ahead as set

	// Under swarm.mu.
	window span  // pieces that may be asked for
	at     int64 // pos, as of the last Read
	ahead  int64 // the read-ahead
	buffer buffer
}

var _ io.ReadSeekCloser = (*Stream)(nil)

// Stream opens a file for reading while it arrives. It waits for the metadata until ctx ends; the
// stream itself lives until Close, or until the swarm is left. Nothing is fetched before the first
// Read.
func (s *Swarm) Stream(ctx context.Context, file int) (*Stream, error) {
	if err := s.Wait(ctx); err != nil {
		return nil, fmt.Errorf("waiting for the metadata: %w", err)
	}
	files := s.Files()
	if file < 0 || file >= len(files) {
		return nil, fmt.Errorf("this swarm has no file %d: it has %d", file, len(files))
	}
	if s.store.inPlace != "" {
		select { // what is in doubt cannot be fetched, only hashed
		case <-s.settled:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.ctx.Done():
			return nil, context.Cause(s.ctx)
		}
	}
	t, done, err := s.use()
	if err != nil {
		return nil, fmt.Errorf("opening the stream: %w", err)
	}
	tf := t.Files()[file]
	st := &Stream{swarm: s, file: files[file], offset: tf.Offset(), wanted: s.engine.config.ReadAhead, done: done}
	st.ctx, st.cancel = context.WithCancelCause(s.ctx)
	st.buffer.seek(0, time.Now())
	st.reader = tf.NewReader()
	st.reader.SetContext(st.ctx)
	s.mu.Lock()
	s.streams[st] = struct{}{}
	s.mu.Unlock()
	s.watch()
	return st, nil
}

// File returns which file this is.
func (st *Stream) File() File { return st.file }

// Size returns the file's length in bytes.
func (st *Stream) Size() int64 { return st.file.Length }

// SetReadAhead sets how many bytes ahead of the playhead are fetched. Zero or less means the
// engine's default. It takes effect with the next Read.
func (st *Stream) SetReadAhead(n int64) {
	if n <= 0 {
		n = st.swarm.engine.config.ReadAhead
	}
	st.mu.Lock()
	st.wanted = n
	st.mu.Unlock()
}

// Read blocks until the next bytes are verified. It fails when the stream is cancelled or closed
// and when the swarm is left; while the swarm is paused it waits.
func (st *Stream) Read(b []byte) (int, error) {
	st.reading.Lock()
	defer st.reading.Unlock()
	for failures := 0; ; failures++ {
		if err := st.ctx.Err(); err != nil {
			return 0, st.cause()
		}
		if st.pos >= st.file.Length {
			return 0, io.EOF
		}
		if len(b) == 0 {
			return 0, nil
		}
		st.advance()
		n, err := st.reader.Read(b)
		st.pos += int64(n)
		if n > 0 {
			if st.pos >= st.file.Length {
				return n, io.EOF
			}
			return n, nil
		}
		if st.ctx.Err() != nil {
			return 0, st.cause()
		}
		if errors.Is(err, io.EOF) && st.pos >= st.file.Length {
			return 0, io.EOF
		}
		if failures >= 5 && !st.swarm.idle() {
			return 0, fmt.Errorf("reading %s: %w", st.file.Path, err)
		}
		st.waitResumed()
	}
}

// advance makes sure that what lies ahead of the playhead may be asked for.
func (st *Stream) advance() {
	st.mu.Lock()
	ahead := st.wanted
	st.mu.Unlock()
	if ahead != st.readAhead {
		st.readAhead = ahead
		st.reader.SetReadahead(ahead)
	}
	length := st.swarm.info.PieceLength
	piece := func(at int64) int { return int((st.offset + at) / length) }
	last := piece(st.file.Length-1) + 1
	need := span{piece(st.pos), min(last, piece(min(st.pos+ahead, st.file.Length)-1)+1)}
	s := st.swarm
	s.mu.Lock()
	st.at, st.ahead = st.pos, ahead
	have := st.window
	if need.begin >= have.begin && need.begin <= have.end && need.end <= have.end {
		st.window.begin = need.begin
		s.mu.Unlock()
		if need.begin != have.begin && !s.store.complete() {
			s.plan() // a seek may have left behind what is asked for
		}
		return
	}
	step := max(1, int(ahead/4/length))
	if have.end == 0 || !have.has(need.begin) {
		step = 0 // at the start, and after a seek, the first bytes count
	}
	st.window = span{need.begin, min(last, need.end+step)}
	s.mu.Unlock()
	s.plan()
	s.useWebSeeds()
}

// idle reports whether the swarm is paused or stopped by a problem.
func (s *Swarm) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused || s.halted
}

// waitResumed waits while the swarm is paused, and a moment where it is not.
func (st *Stream) waitResumed() {
	s := st.swarm
	s.mu.Lock()
	resumed := s.resumed
	idle := s.paused || s.halted
	s.mu.Unlock()
	var moment <-chan time.Time
	if !idle {
		moment = time.After(recheckInterval)
	}
	select {
	case <-st.ctx.Done():
	case <-resumed:
	case <-moment:
	}
}

// Seek moves the playhead. What was being fetched for the old place is dropped with the next Read.
func (st *Stream) Seek(offset int64, whence int) (int64, error) {
	st.reading.Lock()
	defer st.reading.Unlock()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += st.pos
	case io.SeekEnd:
		offset += st.file.Length
	default:
		return st.pos, fmt.Errorf("seeking: unknown whence %d", whence)
	}
	if offset < 0 {
		return st.pos, errors.New("seeking to before the start")
	}
	if st.closed {
		return st.pos, ErrCancelled
	}
	if _, err := st.reader.Seek(offset, io.SeekStart); err != nil {
		return st.pos, fmt.Errorf("seeking: %w", err)
	}
	if offset != st.pos {
		st.pos = offset
		st.swarm.mu.Lock()
		st.buffer.seek(offset, time.Now())
		st.swarm.mu.Unlock()
	}
	return offset, nil
}

// Cancel unblocks a Read in progress; further Reads fail.
func (st *Stream) Cancel() { st.cancel(ErrCancelled) }

// Close frees the stream and unblocks a Read in progress.
func (st *Stream) Close() error {
	st.Cancel()
	st.reading.Lock()
	defer st.reading.Unlock()
	if st.closed {
		return nil
	}
	st.closed = true
	err := st.reader.Close()
	s := st.swarm
	s.mu.Lock()
	delete(s.streams, st)
	s.mu.Unlock()
	s.unwatch()
	if s.ctx.Err() == nil {
		s.plan()
		s.useWebSeeds()
	}
	st.done()
	if err != nil {
		return fmt.Errorf("closing the stream: %w", err)
	}
	return nil
}

func (st *Stream) cause() error {
	if err := context.Cause(st.ctx); err != nil {
		return err
	}
	return ErrCancelled
}
