// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"shoal/instance/fault"
)

// Tx is one transaction: a consistent state to read, and in Write and Batch one to change. It ends
// with the function that it was handed to. A change that fails leaves nothing behind.
type Tx struct {
	bolt *bolt.Tx
	s    *Store
	// What the change touched, so that the parts in memory follow once it is on disk.
	local, policy, following, changes, touches bool
	blocked                                    []string // hosts, where policy is not set for more than them
	list                                       []func(*listIndex)
	watched                                    []*Video // of which the views alone changed
}

// Bolt is the transaction itself, for rooms that keep buckets of their own in the same file.
func (tx *Tx) Bolt() *bolt.Tx { return tx.bolt }

// DB is the database file, for rooms that keep buckets of their own in it. They write through Write
// or in transactions that touch none of the store's buckets.
func (s *Store) DB() *bolt.DB { return s.db }

// Write runs f in one write transaction. Once it is on disk, what the store holds in memory follows,
// before Write returns. f must not use other methods of the store that write.
func (s *Store) Write(doing string, f func(*Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(doing, f)
}

// Read runs f in one read transaction. It must be short: an open one keeps the file from reusing
// space.
func (s *Store) Read(f func(*Tx) error) error {
	return s.db.View(func(b *bolt.Tx) error { return f(&Tx{bolt: b, s: s}) })
}

// commit runs f with s.mu held.
func (s *Store) commit(doing string, f func(*Tx) error) error {
	var tx *Tx
	err := s.db.Update(func(b *bolt.Tx) error {
		tx = &Tx{bolt: b, s: s}
		return f(tx)
	})
	if err != nil {
		return named(doing, err)
	}
	return s.follow(tx)
}

// follow brings what is held in memory up to the committed transaction.
func (s *Store) follow(tx *Tx) error {
	switch {
	case tx.local:
		if err := s.reload(); err != nil {
			return err
		}
	case len(tx.watched) > 0:
		s.snap.Store(s.Snapshot().with(tx.watched))
	}
	switch {
	case tx.policy:
		if err := s.reloadRules(); err != nil {
			return err
		}
	case len(tx.blocked) > 0:
		s.addBlocks(tx.blocked)
	}
	if len(tx.list) > 0 {
		s.list.apply(tx.list)
	}
	if tx.following || tx.policy || len(tx.blocked) > 0 {
		if err := s.reloadFollowing(); err != nil {
			return err
		}
	}
	if tx.changes {
		wake(s.changed)
	}
	if tx.touches {
		wake(s.touched)
	}
	return nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // somebody was woken already and has not looked yet
	}
}

// maxBatch is how many changes one transaction of Batch takes.
const maxBatch = 256

type batched struct {
	f    func(*Tx) error
	done bool
	err  error
}

// Batch is Write for many small writers at once: those that wait while one transaction goes to disk
// share the next. f may run more than once, and then from the start, where another's f failed.
func (s *Store) Batch(doing string, f func(*Tx) error) error {
	mine := &batched{f: f}
	s.batchMu.Lock()
	s.batch = append(s.batch, mine)
	s.batchMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !mine.done {
		s.batchMu.Lock()
		n := min(len(s.batch), maxBatch)
		calls := s.batch[:n:n]
		s.batch = s.batch[n:]
		s.batchMu.Unlock()
		s.runBatch(calls)
	}
	if mine.err != nil {
		return named(doing, mine.err)
	}
	return nil
}

// named says what failed, unless the error is a sentence for a person already.
func named(doing string, err error) error {
	if fault.Said(err) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// runBatch runs calls in one transaction; one that fails is left out and the others run again.
func (s *Store) runBatch(calls []*batched) {
	for {
		failed := -1
		err := s.commit("writing", func(tx *Tx) error {
			for i, c := range calls {
				if c.done {
					continue
				}
				if err := c.f(tx); err != nil {
					failed = i
					return err
				}
			}
			return nil
		})
		if failed >= 0 {
			calls[failed].done, calls[failed].err = true, err
			continue
		}
		for _, c := range calls {
			if !c.done {
				c.done, c.err = true, err
			}
		}
		return
	}
}

// base is the instance's public URL, empty before it is fixed.
func (tx *Tx) base() string { return string(tx.bolt.Bucket(bucketSettings).Get([]byte(SettingURL))) }

// IsLocal reports whether an id is of this instance: an actor, a video or a comment.
func (tx *Tx) IsLocal(id string) bool {
	base := tx.base()
	return base != "" && strings.HasPrefix(id, base+"/")
}

func (tx *Tx) bucket(name []byte) *bolt.Bucket { return tx.bolt.Bucket(name) }

func (tx *Tx) put(bucket, k []byte, v any) error { return put(tx.bucket(bucket), k, v) }

// get reads a record.
func get[T any](tx *Tx, bucket, k []byte) (*T, bool, error) {
	if len(k) == 0 {
		return nil, false, nil
	}
	raw := tx.bucket(bucket).Get(k)
	if raw == nil {
		return nil, false, nil
	}
	rec := new(T)
	if err := json.Unmarshal(raw, rec); err != nil {
		return nil, false, fmt.Errorf("decoding a record of %s, key %q: %w", bucket, k, err)
	}
	return rec, true, nil
}

// scan hands out the keys of a bucket that begin with prefix, with their values, until f returns false. f must
// not change the bucket.
func (tx *Tx) scan(bucket, prefix []byte, f func(k, v []byte) (bool, error)) error {
	c := tx.bucket(bucket).Cursor()
	for k, v := c.Seek(prefix); k != nil && strings.HasPrefix(string(k), string(prefix)); k, v = c.Next() {
		more, err := f(k, v)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// keysOf copies the keys of a bucket that begin with prefix, without it.
func (tx *Tx) keysOf(bucket, prefix []byte) ([]string, error) {
	var all []string
	err := tx.scan(bucket, prefix, func(k, _ []byte) (bool, error) {
		all = append(all, string(k[len(prefix):]))
		return true, nil
	})
	return all, err
}

// maxID bounds an ActivityPub id, in bytes.
const maxID = 2000

// ErrID is an id that nothing can be stored under.
var ErrID = errors.New("is empty, too long or has a zero byte")

// checkID refuses what cannot be a key.
func checkID(ids ...string) error {
	for _, id := range ids {
		if id == "" || len(id) > maxID || strings.IndexByte(id, 0) >= 0 {
			return fmt.Errorf("the id %.100q %w", id, ErrID)
		}
	}
	return nil
}

// pair is a key of two texts.
func pair(a, b string) []byte { return []byte(a + "\x00" + b) }
