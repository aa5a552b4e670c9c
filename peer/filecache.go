// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"container/list"
	"sync"
	"time"
)

// fileCache bounds the files that all swarms together hold open. Past it the file goes that was
// not used for longest. Its lock is taken inside a storeFile's and takes none itself.
type fileCache struct {
	mu   sync.Mutex
	size int
	open *list.List // of *storeFile; the last used one is in front
}

func newFileCache(size int) *fileCache { return &fileCache{size: size, open: list.New()} }

// use notes that f, which is open, is used now. It returns the file to close for it, if any; the
// caller closes it when it holds no lock.
func (c *fileCache) use(f *storeFile) (surplus *storeFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.used = time.Now()
	if f.place != nil {
		c.open.MoveToFront(f.place)
		return nil
	}
	f.place = c.open.PushFront(f)
	return c.surplusLocked()
}

// surplusLocked takes the file that was not used for longest off the list, if there are too many.
func (c *fileCache) surplusLocked() *storeFile {
	if c.open.Len() <= c.size {
		return nil
	}
	oldest := c.open.Back().Value.(*storeFile)
	c.removeLocked(oldest)
	return oldest
}

func (c *fileCache) removeLocked(f *storeFile) {
	if f.place != nil {
		c.open.Remove(f.place)
		f.place = nil
	}
}

// closed notes that f is not open any more.
func (c *fileCache) closed(f *storeFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeLocked(f)
}

// resize changes the bound and closes what is too much now.
func (c *fileCache) resize(size int) {
	c.mu.Lock()
	c.size = size
	c.mu.Unlock()
	for {
		c.mu.Lock()
		f := c.surplusLocked()
		c.mu.Unlock()
		if f == nil {
			return
		}
		f.yield()
	}
}

// closeIdle closes the files that nobody has used since a time.
func (c *fileCache) closeIdle(before time.Time) {
	for {
		c.mu.Lock()
		back := c.open.Back()
		if back == nil || !back.Value.(*storeFile).used.Before(before) {
			c.mu.Unlock()
			return
		}
		f := back.Value.(*storeFile)
		c.removeLocked(f)
		c.mu.Unlock()
		f.yield()
	}
}

// len is how many files are open.
func (c *fileCache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open.Len()
}
