// SPDX-License-Identifier: AGPL-3.0-or-later

// Package library remembers what this machine keeps and seeds: one entry a swarm, in library.db.
// app imports it; it imports peer.
package library

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"shoal/peer"
)

// Entry is one swarm held.
type Entry struct {
	Infohash   string     `json:"infohash"` // 40 hex digits, lower case: the key
	Name       string     `json:"name"`
	Torrent    []byte     `json:"torrent,omitempty"` // the .torrent file, once known
	Magnet     string     `json:"magnet,omitempty"`
	Dir        string     `json:"dir,omitempty"`  // where its files go
	Path       string     `json:"path,omitempty"` // a file seeded in place
	Page       string     `json:"page,omitempty"` // the watch page
	Added      time.Time  `json:"added"`
	Paused     bool       `json:"paused"`
	Want       bool       `json:"want"` // fetch what is missing
	Uploaded   peer.Bytes `json:"uploaded"`
	Downloaded peer.Bytes `json:"downloaded"`
	Bytes      int64      `json:"bytes"`
	Complete   bool       `json:"complete"`

	Pinned      bool      `json:"pinned,omitempty"`     // never deleted for room, never stopped by a limit
	Asked       bool      `json:"asked,omitempty"`      // a person asked for it to be co-seeded
	LastWatched time.Time `json:"lastWatched,omitzero"` // zero: never by a person
	LastUpload  time.Time `json:"lastUpload,omitzero"`  // when somebody last fetched from it
	SeededFor   int64     `json:"seededFor,omitempty"`  // seconds it was whole and given to whoever asked

	Stopped  Stop  `json:"stopped,omitempty"`  // which limit paused it; "" where a person did
	From     Mark  `json:"from,omitzero"`      // limits count from here
	IdleFrom int64 `json:"idleFrom,omitempty"` // SeededFor when somebody last fetched, or it was resumed
	Stalled  int64 `json:"stalled,omitempty"`  // seconds it was fetched since a byte last came

	Support string     `json:"support,omitempty"` // ID of the Support that it is held for
	Video   string     `json:"video,omitempty"`   // the video's UUID, where it is held for a Support
	Before  peer.Bytes `json:"before,omitzero"`   // what was uploaded before that
}

// Wanted reports whether a person wanted the swarm itself: no Support may delete it.
func (e Entry) Wanted() bool {
	return e.Pinned || e.Asked || e.Path != "" || !e.LastWatched.IsZero()
}

// Helped is what the entry gave back for its Support.
func (e Entry) Helped() peer.Bytes {
	if e.Support == "" {
		return peer.Bytes{}
	}
	return e.Uploaded.Minus(e.Before)
}

// version is the layout of library.db that this program writes. The database has these buckets:
// meta ("version" -> uint64, big-endian), entries (infohash -> Entry as JSON, without the torrent),
// torrents (infohash -> the .torrent file), so that saving figures rewrites little, and since version
// 2 supports (id -> Support as JSON) and catalogs (id -> Catalog as JSON). A library of version 1 is
// one without supports. Before version 3 not every entry tells whether a person wanted it; see wanted.
const version = 3

var (
	bucketMeta     = []byte("meta")
	bucketEntries  = []byte("entries")
	bucketTorrents = []byte("torrents")
	bucketSupports = []byte("supports")
	bucketCatalogs = []byte("catalogs")
	keyVersion     = []byte("version")
)

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = time.Second

// ErrNotFound says that an infohash is not in the library.
var ErrNotFound = errors.New("not in the library")

// Library is an open library.db. Its methods are safe for concurrent use.
type Library struct{ db *bbolt.DB }

// Open opens or creates a library. Its errors are sentences for a person.
func Open(path string) (*Library, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, explain(path, err)
	}
	l := &Library{db: db}
	if err := l.prepare(path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

func (l *Library) prepare(path string) error {
	have := uint64(0)
	err := l.db.View(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta != nil {
			if v := meta.Get(keyVersion); len(v) == 8 {
				have = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return explain(path, err)
	case have == version:
		return nil
	case have > version:
		return fmt.Errorf("%s was written by a newer Shoal (version %d of the file, this program knows %d): install the newer program again", path, have, version)
	}
	err = l.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketEntries, bucketTorrents, bucketSupports, bucketCatalogs} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("creating bucket %s: %w", name, err)
			}
		}
		if err := wanted(tx); err != nil {
			return err
		}
		return tx.Bucket(bucketMeta).Put(keyVersion, binary.BigEndian.AppendUint64(nil, version))
	})
	if err != nil {
		return explain(path, err)
	}
	return nil
}

// wanted brings the entries to version 3: one that is held for no Support is there because a person had it
// co-seeded, which is when it is fetched whole, or watched it. A Support that comes to count it as its own
// must not delete it.
func wanted(tx *bbolt.Tx) error {
	var changed []Entry
	err := tx.Bucket(bucketEntries).ForEach(func(_, record []byte) error {
		var e Entry
		readable := json.Unmarshal(record, &e) == nil
		if !readable || e.Infohash == "" || e.Support != "" || e.Wanted() {
			return nil
		}
		if e.Want {
			e.Asked = true
		} else {
			e.LastWatched = e.Added
		}
		changed = append(changed, e)
		return nil
	})
	for _, e := range changed {
		err = errors.Join(err, put(tx, e))
	}
	return err
}

func explain(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%s is in use by another Shoal: stop that one, or choose another folder with --data: %w", path, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s cannot be written to: make its folder writable, or choose another one with --data: %w", path, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk with %s is full: free some space: %w", path, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("%s is damaged or no library of Shoal: restore it from a backup, or move it away to start with an empty one: %w", path, err)
	}
	return fmt.Errorf("opening %s: %w", path, err)
}

// Close closes the file.
func (l *Library) Close() error {
	if err := l.db.Close(); err != nil {
		return fmt.Errorf("closing the library: %w", err)
	}
	return nil
}

// Put adds or replaces entries, all or none. An entry without a Torrent keeps the one it has.
func (l *Library) Put(entries ...Entry) error {
	err := l.db.Update(func(tx *bbolt.Tx) error {
		for _, e := range entries {
			if err := put(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing to the library: %w", err)
	}
	return nil
}

func put(tx *bbolt.Tx, e Entry) error {
	if e.Infohash == "" {
		return errors.New("an entry needs an infohash")
	}
	key, torrent := []byte(e.Infohash), e.Torrent
	if torrents := tx.Bucket(bucketTorrents); len(torrent) > 0 && !bytes.Equal(torrents.Get(key), torrent) {
		if err := torrents.Put(key, torrent); err != nil {
			return err
		}
	}
	e.Torrent = nil
	record, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding entry: %w", err)
	}
	return tx.Bucket(bucketEntries).Put(key, record)
}

// Get returns an entry, ErrNotFound where there is none.
func (l *Library) Get(infohash string) (e Entry, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		key := []byte(infohash)
		record := tx.Bucket(bucketEntries).Get(key)
		if record == nil {
			return ErrNotFound
		}
		e, err = decode(tx, key, record)
		return err
	})
	return e, err
}

func decode(tx *bbolt.Tx, key, record []byte) (e Entry, err error) {
	if err := json.Unmarshal(record, &e); err != nil {
		return Entry{}, fmt.Errorf("decoding entry %s: %w", key, err)
	}
	e.Torrent = bytes.Clone(tx.Bucket(bucketTorrents).Get(key))
	return e, nil
}

// Delete removes an entry. It is no error where there is none.
func (l *Library) Delete(infohash string) error {
	err := l.db.Update(func(tx *bbolt.Tx) error {
		key := []byte(infohash)
		return errors.Join(tx.Bucket(bucketEntries).Delete(key), tx.Bucket(bucketTorrents).Delete(key))
	})
	if err != nil {
		return fmt.Errorf("deleting from the library: %w", err)
	}
	return nil
}

// List returns all entries, oldest first. It goes on after one that cannot be read, and returns the
// errors joined.
func (l *Library) List() (list []Entry, err error) {
	var errs []error
	err = l.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketEntries).ForEach(func(key, record []byte) error {
			e, err := decode(tx, key, record)
			if err != nil {
				errs = append(errs, err)
				return nil
			}
			list = append(list, e)
			return nil
		})
	})
	slices.SortFunc(list, func(x, y Entry) int {
		return cmp.Or(x.Added.Compare(y.Added), cmp.Compare(x.Infohash, y.Infohash))
	})
	return list, errors.Join(append(errs, err)...)
}
