// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/storage"
)

// store is the file storage of one swarm: plain reads and writes, no memory maps (a mapping loses
// its pages on kill -9, and faults when somebody truncates the file). What is complete is kept in
// pieces.db, piece by piece.
//
// It also hides pieces: a piece that is neither complete nor opened answers "unknown", and the
// engine asks nobody for a piece that is unknown. That is what bounds WebSeed requests, which go
// by what is missing and not by what is wanted.
type store struct {
	db       *piecesDB
	cache    *fileCache
	ih       metainfo.Hash
	dir      string    // folder of the swarm's folder
	inPlace  string    // the one file, seeded where it lies; read-only
	hashedAt time.Time // mtime of the in-place file when it was hashed, if known
	writable func(path string) error
	ticks    func() int64 // see Engine.ticks

	onOpen     func(error)            // the info was accepted, or why not; holds the engine's lock
	onVerified func(piece int, n int) // a piece of n bytes passed its hash
	onFailed   func(piece int, n int) // it did not
	onComplete func()                 // the last missing piece came in
	onChanged  func(f *storeFile)     // somebody else changed or removed the file

	completed atomic.Int64 // bytes verified
	total     atomic.Int64 // bytes in all; 0 until opened
	pieces    atomic.Int64 // in all; 0 until opened
	failedAt  atomic.Int64 // when a write last failed, by ticks
	reading   atomic.Int32 // reads that go on
	resting   atomic.Bool  // see Swarm.doze

	buffers sync.Pool // *[]byte, for hashing

	dbMu     sync.Mutex // orders writes to pieces.db; taken before mu
	mu       sync.Mutex
	info     *metainfo.Info // without the hashes of its pieces
	root     string
	files    []*storeFile
	states   []pieceState
	opened   []bool // pieces that may be asked for
	missing  int    // pieces that are not complete
	closed   bool
	unsynced map[int]struct{} // pieces written since the last checkpoint
}

var _ storage.ClientImpl = (*store)(nil)

// OpenTorrent is called by the engine, under its lock, once the info is known.
func (s *store) OpenTorrent(_ context.Context, info *metainfo.Info, _ metainfo.Hash) (storage.TorrentImpl, error) {
	var err error
	if s.meta() == nil {
		if err = checkInfo(info); err == nil {
			err = s.open(info)
		}
	}
	s.onOpen(err)
	if err != nil {
		return storage.TorrentImpl{}, err
	}
	return storage.TorrentImpl{
		Piece: func(p metainfo.Piece) storage.PieceImpl {
			return &storePiece{s: s, index: p.Index(), offset: p.Offset(), length: s.pieceLength(p.Index())}
		},
		Close: func() error {
			if s.resting.Load() {
				return nil
			}
			return s.close()
		},
	}, nil
}

func (s *store) open(info *metainfo.Info) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if err != nil {
			s.info = nil
		}
	}()
	light := *info
	light.Pieces = nil // the client has them, while it needs them
	s.info = &light
	s.closed = false
	n := info.NumPieces()
	s.opened = make([]bool, n)
	s.unsynced = map[int]struct{}{}
	if err := s.openFiles(info); err != nil {
		return err
	}
	states, records, known, err := s.db.load(s.ih, n)
	if err != nil {
		return err
	}
	c := s.reconcile(states, records, known)
	if len(c.pieces) > 0 || len(c.files) > 0 || len(c.unfiled) > 0 || c.known {
		if err := s.db.put(s.ih, c); err != nil {
			return err
		}
	}
	s.states = states
	s.total.Store(s.size())
	s.pieces.Store(int64(n))
	var have int64
	s.missing = 0
	for _, f := range s.files {
		f.left = 0
	}
	for i, st := range s.states {
		if st.complete() {
			have += s.pieceLengthLocked(i)
			continue
		}
		s.missing++
		for _, f := range s.filesOf(i) {
			f.left++
		}
	}
	s.completed.Store(have)
	return nil
}

// meta returns the info without the hashes of its pieces, nil until the files are open.
func (s *store) meta() *metainfo.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

func (s *store) openFiles(info *metainfo.Info) error {
	files := info.UpvertedFiles()
	s.files = make([]*storeFile, len(files))
	if s.inPlace != "" {
		if len(files) != 1 {
			return errors.New("a torrent of many files cannot be seeded from one file")
		}
		s.files[0] = &storeFile{cache: s.cache, path: s.inPlace, length: files[0].Length, readOnly: true}
		s.watch(s.files[0])
		fi, err := os.Stat(s.inPlace)
		if err != nil {
			return fmt.Errorf("the file to seed cannot be read: %w", err)
		}
		if fi.Size() != files[0].Length || !fi.Mode().IsRegular() {
			return fmt.Errorf("%s has %d bytes and the torrent %d: it is not the same file", s.inPlace, fi.Size(), files[0].Length)
		}
		s.root = s.inPlace
		return nil
	}
	s.root = swarmFolder(s.dir, info, s.ih)
	for i, path := range layout(s.root, info) {
		s.files[i] = &storeFile{cache: s.cache, path: path, offset: files[i].TorrentOffset, length: files[i].Length}
		s.watch(s.files[i])
	}
	return nil
}

// reconcile compares what pieces.db says with what lies on disk, corrects states in place and
// returns what is to be written down.
func (s *store) reconcile(states []pieceState, records map[int]fileRecord, known bool) change {
	c := change{pieces: map[int]pieceState{}, files: map[int]fileRecord{}}
	before := slices.Clone(states)
	anyOnDisk := false
	for index, f := range s.files {
		if f.length == 0 {
			continue
		}
		fi, err := os.Stat(f.path)
		onDisk := err == nil && fi.Mode().IsRegular()
		if onDisk {
			f.guard.seen, f.guard.known = recordOf(fi), true
		}
		anyOnDisk = anyOnDisk || onDisk
		record, recorded := records[index]
		switch {
		case onDisk && recorded && record == recordOf(fi):
			continue // as it was when it was finished
		case onDisk && !recorded && s.inPlace != "" && (s.hashedAt.IsZero() && !known || s.hashedAt.Equal(fi.ModTime())):
			for i := range states {
				states[i] = pieceDurable
			}
			c.files[index] = recordOf(fi)
			continue
		case recorded:
			c.unfiled = append(c.unfiled, index)
		}
		for i := s.firstPiece(f); i < s.endPiece(f); i++ {
			end := min(int64(i)*s.info.PieceLength+s.pieceLengthLocked(i), f.offset+f.length) - f.offset
			switch {
			case !onDisk || fi.Size() < end:
				states[i] = pieceMissing
			case s.inPlace != "":
				states[i] = pieceDoubt // what was wrong may be put right
			case states[i] == pieceMissing:
			case recorded:
				states[i] = pieceDoubt // the file was changed
			case states[i] == pieceAbsent && !known:
				states[i] = pieceDoubt // never seen before: it may be all there
			}
		}
	}
	for i := range states {
		if states[i] == pieceAbsent {
			states[i] = pieceMissing
		}
		if states[i] != before[i] && (before[i] != pieceAbsent || states[i] != pieceMissing) {
			c.pieces[i] = states[i]
		}
	}
	c.known = !known && !(anyOnDisk && slices.Contains(states, pieceDoubt))
	return c
}

// size returns the payload's length in bytes.
func (s *store) size() (n int64) {
	for _, f := range s.files {
		n += f.length
	}
	return n
}

func (s *store) firstPiece(f *storeFile) int { return int(f.offset / s.info.PieceLength) }

func (s *store) endPiece(f *storeFile) int {
	if f.length == 0 {
		return s.firstPiece(f)
	}
	return int((f.offset+f.length-1)/s.info.PieceLength) + 1
}

// filesOf returns the files that have bytes in a piece.
func (s *store) filesOf(piece int) []*storeFile {
	begin := int64(piece) * s.info.PieceLength
	end := begin + s.pieceLengthLocked(piece)
	first, _ := slices.BinarySearchFunc(s.files, begin, func(f *storeFile, at int64) int {
		if f.offset+f.length <= at {
			return -1
		}
		return 1
	})
	last := first
	for last < len(s.files) && s.files[last].offset < end {
		last++
	}
	return s.files[first:last]
}

func (s *store) pieceLength(i int) int64 { return s.pieceLengthLocked(i) }

// pieceLengthLocked needs no lock once the info is set. In a hybrid torrent (BEP 52) files start
// at pieces, and the last piece of each file may be short.
func (s *store) pieceLengthLocked(i int) int64 {
	begin := int64(i) * s.info.PieceLength
	if s.info.FilesArePieceAligned() {
		at, _ := slices.BinarySearchFunc(s.files, begin, func(f *storeFile, at int64) int {
			if f.offset+f.length <= at {
				return -1
			}
			return 1
		})
		if at < len(s.files) {
			return min(s.info.PieceLength, s.files[at].offset+s.files[at].length-begin)
		}
		return 0
	}
	last := s.files[len(s.files)-1]
	return min(s.info.PieceLength, last.offset+last.length-begin)
}

// close closes every file. The engine calls it, under its lock, when the torrent is dropped.
func (s *store) close() error {
	s.mu.Lock()
	s.closed = true
	files := s.files
	s.mu.Unlock()
	var errs []error
	for _, f := range files {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}
