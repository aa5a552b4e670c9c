// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/anacrolix/torrent/storage"
)

// storePiece is the engine's view of one piece.
type storePiece struct {
	s      *store
	index  int
	offset int64 // in the torrent
	length int64
}

var (
	_ storage.PieceImpl = (*storePiece)(nil)
	_ io.WriterTo       = (*storePiece)(nil)
)

// span calls do for each file that has a part of the n bytes at off in the piece.
func (p *storePiece) span(off int64, n int, do func(f *storeFile, at int64, from, to int) error) error {
	begin := p.offset + off
	end := min(begin+int64(n), p.offset+p.length)
	for _, f := range p.s.filesOf(p.index) {
		from, to := max(begin, f.offset), min(end, f.offset+f.length)
		if from >= to {
			continue
		}
		if err := do(f, from-f.offset, int(from-begin), int(to-begin)); err != nil {
			return err
		}
	}
	return nil
}

// ReadAt reads what is verified, for peers and streams. A file that was changed since is errChanged; one
// that is short or missing, while it is fetched, io.EOF.
func (p *storePiece) ReadAt(b []byte, off int64) (int, error) {
	return p.readWith((*storeFile).readAt, b, off)
}

func (p *storePiece) readWith(read func(f *storeFile, b []byte, at int64) (int, error), b []byte, off int64) (n int, err error) {
	p.s.reading.Add(1)
	defer p.s.reading.Add(-1)
	err = p.span(off, len(b), func(f *storeFile, at int64, from, to int) error {
		m, err := read(f, b[from:to], at)
		n += m
		if m == to-from {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			return io.EOF
		}
		return err
	})
	if err == nil && n < len(b) {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes a chunk that is not verified yet.
func (p *storePiece) WriteAt(b []byte, off int64) (n int, err error) {
	err = p.span(off, len(b), func(f *storeFile, at int64, from, to int) error {
		if p.s.writable != nil {
			if err := p.s.writable(f.path); err != nil {
				return err
			}
		}
		m, err := f.writeAt(b[from:to], at)
		n += m
		return err
	})
	if err != nil {
		p.s.failedAt.Store(p.s.ticks())
	}
	return n, err
}

func readAny(f *storeFile, b []byte, at int64) (int, error) {
	n, _, err := f.read(b, at)
	return n, err
}

// WriteTo writes the piece, for hashing. What is missing on disk ends it early, without an error:
// the hash is then wrong, as it should be.
func (p *storePiece) WriteTo(w io.Writer) (written int64, err error) {
	buf, ok := p.s.buffers.Get().(*[]byte)
	if !ok {
		fresh := make([]byte, 256<<10)
		buf = &fresh
	}
	defer p.s.buffers.Put(buf)
	for written < p.length {
		b := (*buf)[:min(int64(len(*buf)), p.length-written)]
		n, err := p.readWith(readAny, b, written)
		if n > 0 {
			m, werr := w.Write(b[:n])
			written += int64(m)
			if werr != nil {
				return written, werr
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return written, err
		}
	}
	return written, nil
}

// Completion tells the engine what to do about the piece: nothing at all where it is unknown.
func (p *storePiece) Completion() storage.Completion {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	switch {
	case p.s.states[p.index].complete():
		return storage.Completion{Ok: true, Complete: true}
	case p.s.states[p.index] == pieceMissing && p.s.opened[p.index]:
		return storage.Completion{Ok: true}
	}
	return storage.Completion{}
}

// MarkComplete writes down that the piece is verified, before anybody is told.
func (p *storePiece) MarkComplete() error {
	s := p.s
	if s.have(p.index) {
		s.onVerified(p.index, int(p.length))
		return nil
	}
	s.dbMu.Lock()
	s.mu.Lock()
	c := change{pieces: map[int]pieceState{p.index: pieceWritten}, files: map[int]fileRecord{}}
	var finished []*storeFile
	for _, f := range s.filesOf(p.index) {
		if f.left--; f.left == 0 {
			finished = append(finished, f)
		}
	}
	s.mu.Unlock()
	for _, f := range finished {
		if record, ok := f.finished(); ok {
			c.files[slices.Index(s.files, f)] = record
		}
	}
	err := s.db.put(s.ih, c)
	s.dbMu.Unlock()

	s.mu.Lock()
	s.states[p.index] = pieceWritten
	s.unsynced[p.index] = struct{}{}
	s.missing--
	last := s.missing == 0
	s.mu.Unlock()
	s.onVerified(p.index, int(p.length))
	s.completed.Add(p.length)
	if last {
		s.onComplete()
	}
	return err
}

// MarkNotComplete writes down that the piece failed its hash, or that its data has gone.
func (p *storePiece) MarkNotComplete() error {
	s := p.s
	s.dbMu.Lock()
	s.mu.Lock()
	was := s.states[p.index]
	c := change{pieces: map[int]pieceState{p.index: pieceMissing}}
	s.states[p.index] = pieceMissing
	if was.complete() {
		s.uncomplete(p.index)
	}
	for _, f := range s.filesOf(p.index) {
		c.unfiled = append(c.unfiled, slices.Index(s.files, f))
	}
	s.mu.Unlock()
	var err error
	if was != pieceMissing {
		err = s.db.put(s.ih, c)
	}
	s.dbMu.Unlock()
	s.onFailed(p.index, int(p.length))
	return err
}
