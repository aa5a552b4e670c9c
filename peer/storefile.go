// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"container/list"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// storeFile is one file of a swarm. It is opened when it is first needed, and closed when idle or
// when too many are open.
type storeFile struct {
	cache    *fileCache
	path     string
	offset   int64 // in the torrent
	length   int64
	readOnly bool
	left     int // pieces that are not complete; under the store's lock

	mu       sync.Mutex
	f        *os.File
	writable bool
	closed   bool // for good
	dirty    bool
	guard    guard

	place *list.Element // in the cache's list; under the cache's lock
	used  time.Time     // under the cache's lock
}

// fileTries is how often an operation is tried whose file was closed, to make room, between its
// opening and its use.
const fileTries = 10

// handle returns the open file. A handle for writing serves readers too.
func (f *storeFile) handle(write bool) (*os.File, error) {
	f.mu.Lock()
	h, err := f.openLocked(write)
	var surplus *storeFile
	if err == nil {
		surplus = f.cache.use(f)
	}
	f.mu.Unlock()
	if surplus != nil {
		surplus.yield()
	}
	return h, err
}

func (f *storeFile) openLocked(write bool) (*os.File, error) {
	if f.closed {
		return nil, os.ErrClosed
	}
	if write {
		if f.readOnly {
			return nil, &os.PathError{Op: "write", Path: f.path, Err: os.ErrPermission}
		}
		f.dirty, f.guard.wrote = true, true
	}
	if f.f != nil && (f.writable || !write) {
		return f.f, nil
	}
	var opened *os.File
	var err error
	if write {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return nil, err
		}
		opened, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o644)
	} else {
		opened, err = os.Open(f.path)
	}
	if err != nil {
		return nil, err
	}
	if f.f != nil {
		_ = f.f.Close() // read-only: nothing can be lost
	}
	f.f, f.writable = opened, write
	return opened, nil
}

// read reads for hashing: whatever lies there. See readAt.
func (f *storeFile) read(b []byte, off int64) (n int, h *os.File, err error) {
	for range fileTries {
		if h, err = f.handle(false); err != nil {
			return 0, nil, err
		}
		if n, err = h.ReadAt(b, off); !errors.Is(err, os.ErrClosed) {
			break
		}
	}
	return n, h, err
}

func (f *storeFile) writeAt(b []byte, off int64) (n int, err error) {
	for range fileTries {
		var h *os.File
		if h, err = f.handle(true); err != nil {
			return 0, err
		}
		if n, err = h.WriteAt(b, off); !errors.Is(err, os.ErrClosed) {
			return n, err
		}
	}
	return n, err
}

// sync makes what was written durable.
func (f *storeFile) sync() error {
	f.mu.Lock()
	dirty := f.dirty
	f.dirty = false
	h := f.f
	f.mu.Unlock()
	if !dirty {
		return nil
	}
	var err error
	if h != nil {
		err = h.Sync()
	}
	if h == nil || errors.Is(err, os.ErrClosed) {
		var reopened *os.File
		if reopened, err = os.OpenFile(f.path, os.O_RDWR, 0); err == nil {
			err = errors.Join(reopened.Sync(), reopened.Close())
		}
	}
	if err != nil {
		f.mu.Lock()
		f.dirty = true
		f.mu.Unlock()
	}
	return err
}

// close closes the file for good.
func (f *storeFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f, f.writable = nil, false
	f.cache.closed(f)
	return err
}

// yield closes the file until it is needed again. What was written is in the page cache; sync
// reopens the file.
func (f *storeFile) yield() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.release()
}
