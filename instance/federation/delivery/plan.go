// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// runEntries bounds the messages of one turn with a host, runAttempts the attempts for one of
	// them, runTime the whole.
	runEntries  = 16
	runAttempts = 64
	runTime     = 5 * time.Second
	// window bounds how many entries that wait are looked past in search of one that is due.
	window = 256
	// sweep bounds how many old entries are given up at once.
	sweep = 1000
)

// planned is an entry that is due.
type planned struct {
	seq uint64
	entry
}

// plan returns the entries of a host that are due, in order; where there are none, when to look
// again. For a broken host it is one entry, the one that was tried the longest time ago.
func (q *Queue) plan(name string, state *health, now int64) (due []planned, until int64, err error) {
	until = now + time.Minute.Milliseconds()
	err = q.db.View(func(tx *bolt.Tx) error {
		held := map[uint64]bool{} // orders of which an earlier entry waits
		waiting, first := 0, int64(0)
		prefix := append([]byte(name), 0)
		c := tx.Bucket(bucketEntries).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			_, seq, err := splitKey(k)
			if err != nil {
				return err
			}
			e, err := decodeEntry(name, v)
			if err != nil {
				return err
			}
			switch {
			case e.order != 0 && held[e.order]:
				waiting++
			case !e.due(state, now):
				if first == 0 || e.next < first {
					first = e.next
				}
				held[e.order] = true
				waiting++
			case !state.broken():
				due = append(due, planned{seq, e})
			default:
				held[e.order] = true
				waiting++
				if len(due) == 0 || e.last < due[0].last {
					due = append(due[:0], planned{seq, e})
				}
			}
			if len(due) >= runEntries || waiting >= window {
				break
			}
		}
		if first != 0 {
			until = first
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("reading what waits for %s: %w", name, err)
	}
	return due, until, nil
}

// old returns entries of a host that are past their lifetime.
func (q *Queue) old(name string, now int64) ([]planned, error) {
	var found []planned
	err := q.db.View(func(tx *bolt.Tx) error {
		prefix := append([]byte(name), 0)
		c := tx.Bucket(bucketEntries).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(found) < sweep; k, v = c.Next() {
			_, seq, err := splitKey(k)
			if err != nil {
				return err
			}
			e, err := decodeEntry(name, v)
			if err != nil {
				return err
			}
			if e.created > now-q.cfg.Lifetime.Milliseconds() {
				break // the rest is younger
			}
			found = append(found, planned{seq, e})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what waits for %s: %w", name, err)
	}
	return found, nil
}

// bodies shares messages between the workers that send them at the same time.
type bodies struct {
	mu sync.Mutex
	m  map[uint64]*body
}

type body struct {
	users int
	*message
}

// use returns a message, nil where it is not there. done is called when it was sent.
func (q *Queue) use(seq uint64) (m *message, done func(), err error) {
	b := &q.bodies
	done = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.m[seq].users--; b.m[seq].users == 0 {
			delete(b.m, seq)
		}
	}
	b.mu.Lock()
	if known := b.m[seq]; known != nil {
		known.users++
		b.mu.Unlock()
		return known.message, done, nil
	}
	b.mu.Unlock()
	err = q.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket(bucketMessages).Get(seqKey(seq))
		if v == nil {
			return nil
		}
		var err error
		m, err = decodeMessage(v)
		return err
	})
	if err != nil || m == nil {
		return nil, func() {}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.m == nil {
		b.m = map[uint64]*body{}
	}
	if known := b.m[seq]; known != nil {
		known.users++
		return known.message, done, nil
	}
	b.m[seq] = &body{users: 1, message: m}
	return m, done, nil
}
