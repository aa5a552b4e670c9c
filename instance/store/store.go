// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// FileName is the database's name in the data directory.
const FileName = "instance.db"

// lockWait is how long Open waits for another process to let go of the database.
const lockWait = time.Second

// Store is an open instance.db. Its methods are safe for concurrent use.
type Store struct {
	db       *bolt.DB
	newKey   func() ([]byte, error)
	mu       sync.Mutex // one writer at a time, so that what is in memory follows the database's order
	snap     atomic.Pointer[Snapshot]
	rules    atomic.Pointer[rules]
	list     listIndex
	searcher Searcher
	squeezer squeezer

	batchMu sync.Mutex
	batch   []*batched // changes that wait for mu

	// Each has something to receive after its kind of change.
	changed, touched chan struct{}
}

// Open opens the database in dir, makes what is missing, and brings an older one up to date. Its
// errors are sentences for a person.
func Open(dir string) (*Store, error) { return open(dir, migrations(), newKey) }

func open(dir string, steps []migration, newKey func() ([]byte, error)) (*Store, error) {
	path := filepath.Join(dir, FileName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, explain(path, err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, explain(path, err)
	}
	s := &Store{
		db: db, newKey: newKey,
		changed: make(chan struct{}, 1), touched: make(chan struct{}, 1),
	}
	if err := s.prepare(path, steps); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Store) prepare(path string, steps []migration) error {
	if err := migrate(s.db, path, steps); err != nil {
		return err
	}
	for _, step := range []func() error{s.reload, s.ensureKeys, s.reloadRules, s.loadList, s.reloadFollowing} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// explain turns an error of opening into a sentence for a person.
func explain(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("the data folder %s is in use by another Shoal: stop that one, or choose another folder with --data: %w", dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data folder %s cannot be written to: make it writable, or choose another folder with --data: %w", dir, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk with the data folder %s is full: free some space: %w", dir, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%s is damaged or no database of Shoal: restore it from a backup: %w", path, err)
	}
	return fmt.Errorf("opening %s: %w", path, err)
}

// Close closes the database.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing the instance's database: %w", err)
	}
	return nil
}

// Snapshot is the database as the last write left it.
func (s *Store) Snapshot() *Snapshot { return s.snap.Load() }

func (s *Store) reload() error {
	snap := newSnapshot()
	old := s.snap.Load()
	if err := s.db.View(func(tx *bolt.Tx) error { return snap.load(tx, old) }); err != nil {
		return fmt.Errorf("reading the instance's database: %w", err)
	}
	s.snap.Store(snap)
	return nil
}

// key is a number as a bucket's key, in order.
func key(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func put(b *bolt.Bucket, k []byte, v any) error {
	j, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a record: %w", err)
	}
	return b.Put(k, j)
}
