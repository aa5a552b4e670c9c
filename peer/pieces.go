// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/anacrolix/torrent/metainfo"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// pieceState is what pieces.db says of one piece.
type pieceState byte

const (
	pieceAbsent  pieceState = 0   // nothing is recorded
	pieceMissing pieceState = 'm' // the data is not there, or it is wrong
	pieceDoubt   pieceState = 'u' // the data may be there: it must be hashed
	pieceWritten pieceState = 'c' // verified; the data may still be in the page cache
	pieceDurable pieceState = 'd' // verified, and synced to the disk
)

func (s pieceState) complete() bool { return s == pieceWritten || s == pieceDurable }

// fileRecord is how a finished file looked when it was finished. A file that looks different has
// been changed by somebody else and is hashed again before it is trusted.
type fileRecord struct {
	size  int64
	mtime int64 // nanoseconds since 1970
}

func recordOf(fi os.FileInfo) fileRecord {
	return fileRecord{size: fi.Size(), mtime: fi.ModTime().UnixNano()}
}

// piecesDB is pieces.db: per infohash the state of each piece and a record of each finished file.
//
// A write reaches the page cache before it is acknowledged, not the disk: that survives kill -9.
// Against a power cut each infohash carries the boot it was written in; after another boot what
// was not synced is hashed again.
type piecesDB struct {
	db   *bbolt.DB
	boot []byte
}

var (
	piecesVersion = []byte("1")
	bucketMeta    = []byte("meta")
	bucketPieces  = []byte("pieces")
	keyVersion    = []byte("version")
	keyBoot       = []byte("boot")
	keyKnown      = []byte("known")
)

// openPieces opens pieces.db. A file that is damaged, or of another version, is replaced by an
// empty one: everything in it can be found out again by hashing.
func openPieces(path string) (*piecesDB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("creating the folder of %s: %w", path, err)
	}
	db, err := tryOpenPieces(path)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another Shoal: stop that one first", path)
	}
	if err != nil && (errors.Is(err, os.ErrPermission) || isReadOnly(err)) {
		return nil, fmt.Errorf("%s cannot be written to: choose another data folder, or change its permissions: %w", path, err)
	}
	if err != nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("removing the damaged %s: %w", path, err)
		}
		if db, err = tryOpenPieces(path); err != nil {
			return nil, fmt.Errorf("creating %s: %w", path, err)
		}
	}
	return &piecesDB{db: db, boot: bootID()}, nil
}

// tryOpenPieces opens the file and walks over all of it. A page beyond the end of a truncated file
// faults, which is an error here like any other damage.
func tryOpenPieces(path string) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
		if err != nil && db != nil {
			err = errors.Join(err, closeQuietly(db))
			db = nil
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, NoSync: true})
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(path)
	if err != nil {
		return db, err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > fi.Size() {
			return errors.New("truncated")
		}
		var damage error
		for err := range tx.Check() {
			damage = cmp.Or(damage, err)
		}
		return damage
	})
	if err != nil {
		return db, err
	}
	return db, db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucketIfNotExists(bucketMeta)
		if err != nil {
			return err
		}
		if v := meta.Get(keyVersion); v != nil && !bytes.Equal(v, piecesVersion) {
			return fmt.Errorf("version %q", v)
		}
		if _, err := tx.CreateBucketIfNotExists(bucketPieces); err != nil {
			return err
		}
		return meta.Put(keyVersion, piecesVersion)
	})
}

func closeQuietly(db *bbolt.DB) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("closing the damaged file")
		}
	}()
	return db.Close()
}

// Close syncs and closes the file.
func (p *piecesDB) Close() error { return errors.Join(p.db.Sync(), p.db.Close()) }

func pieceKey(kind byte, i int) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, uint32(i))
}

// load returns the states of n pieces and the records of finished files. known is false where
// nothing was ever recorded: then data on disk may be complete for all we know.
func (p *piecesDB) load(ih metainfo.Hash, n int) (states []pieceState, files map[int]fileRecord, known bool, err error) {
	states = make([]pieceState, n)
	files = map[int]fileRecord{}
	err = p.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketPieces).Bucket(ih[:])
		if b == nil {
			return nil
		}
		known = b.Get(keyKnown) != nil
		sameBoot := bytes.Equal(b.Get(keyBoot), p.boot)
		return b.ForEach(func(k, v []byte) error {
			if len(k) != 5 || len(v) == 0 {
				return nil
			}
			i := int(binary.BigEndian.Uint32(k[1:]))
			switch {
			case k[0] == 'p' && i < n:
				states[i] = pieceState(v[0])
				if states[i] == pieceWritten && !sameBoot {
					states[i] = pieceDoubt
				}
			case k[0] == 'f' && len(v) == 16:
				files[i] = fileRecord{int64(binary.BigEndian.Uint64(v)), int64(binary.BigEndian.Uint64(v[8:]))}
			}
			return nil
		})
	})
	if err != nil {
		err = fmt.Errorf("reading pieces.db: %w", err)
	}
	return states, files, known, err
}

// change is a set of changes that are written together.
type change struct {
	pieces  map[int]pieceState
	files   map[int]fileRecord
	unfiled []int // file records that no longer hold
	known   bool
}

// put writes changes. When it returns they survive the death of this process.
func (p *piecesDB) put(ih metainfo.Hash, c change) error {
	err := p.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.Bucket(bucketPieces).CreateBucketIfNotExists(ih[:])
		if err != nil {
			return err
		}
		if !bytes.Equal(b.Get(keyBoot), p.boot) {
			if err := p.enterBoot(b); err != nil {
				return err
			}
		}
		for i, s := range c.pieces {
			if err := b.Put(pieceKey('p', i), []byte{byte(s)}); err != nil {
				return err
			}
		}
		for i, r := range c.files {
			v := binary.BigEndian.AppendUint64(nil, uint64(r.size))
			if err := b.Put(pieceKey('f', i), binary.BigEndian.AppendUint64(v, uint64(r.mtime))); err != nil {
				return err
			}
		}
		for _, i := range c.unfiled {
			if err := b.Delete(pieceKey('f', i)); err != nil {
				return err
			}
		}
		if c.known {
			return b.Put(keyKnown, []byte{1})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing pieces.db: %w", err)
	}
	return nil
}

// enterBoot tags a bucket with this boot. What an earlier boot did not sync becomes doubtful.
func (p *piecesDB) enterBoot(b *bbolt.Bucket) error {
	if err := replaceStates(b, pieceWritten, pieceDoubt); err != nil {
		return err
	}
	return b.Put(keyBoot, p.boot)
}

func replaceStates(b *bbolt.Bucket, from, to pieceState) error {
	var keys [][]byte
	err := b.ForEach(func(k, v []byte) error {
		if len(k) == 5 && k[0] == 'p' && len(v) == 1 && v[0] == byte(from) {
			keys = append(keys, bytes.Clone(k))
		}
		return nil
	})
	for _, k := range keys {
		if err != nil {
			break
		}
		err = b.Put(k, []byte{byte(to)})
	}
	return err
}

// sync brings what was written to the disk.
func (p *piecesDB) sync() error {
	if err := p.db.Sync(); err != nil {
		return fmt.Errorf("syncing pieces.db: %w", err)
	}
	return nil
}

// forget drops all that is known of an infohash.
func (p *piecesDB) forget(ih metainfo.Hash) error {
	err := p.db.Update(func(tx *bbolt.Tx) error {
		err := tx.Bucket(bucketPieces).DeleteBucket(ih[:])
		if errors.Is(err, berrors.ErrBucketNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("writing pieces.db: %w", err)
	}
	return nil
}

// bootID names the present boot of this machine, where the platform tells. Elsewhere it is a
// constant, and a power cut is not told from a restart of the process.
func bootID() []byte {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return []byte("unknown")
	}
	return []byte(strings.TrimSpace(string(id)))
}
