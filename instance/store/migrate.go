// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// The buckets, their keys and values. Numbers are big-endian.
var (
	bucketMeta     = []byte("meta")     // "version" -> uint64
	bucketSettings = []byte("settings") // name -> text
	bucketAccounts = []byte("accounts") // id -> Account
	bucketChannels = []byte("channels") // id -> Channel
	bucketVideos   = []byte("videos")   // id -> Video
	bucketFiles    = []byte("files")    // empty; its sequence numbers the renditions
	bucketDrafts   = []byte("drafts")   // uuid -> Draft
)

var keyVersion = []byte("version")

// migration brings a database from the version of its place in the list to the next.
type migration func(tx *bolt.Tx) error

// migrations is the database's history. Its length is the version that this program writes; a step
// that was released is never changed.
func migrations() []migration {
	return []migration{create}
}

// create makes version 1 out of an empty file.
func create(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketSettings, bucketAccounts, bucketChannels, bucketVideos, bucketFiles, bucketDrafts} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("creating bucket %s: %w", name, err)
		}
	}
	return nil
}

// migrate runs the steps that the database lacks, all in one transaction.
func migrate(db *bolt.DB, path string, steps []migration) error {
	want := uint64(len(steps))
	var have uint64
	err := db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(bucketMeta); b != nil {
			if v := b.Get(keyVersion); len(v) == 8 {
				have = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return explain(path, err)
	case have == want:
		return nil
	case have > want:
		return fmt.Errorf("%s was written by a newer Shoal (version %d of the database, this program knows %d): install the newer program again", path, have, want)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for i, step := range steps[have:] {
			if err := step(tx); err != nil {
				return fmt.Errorf("bringing the database to version %d: %w", have+uint64(i)+1, err) //nolint:gosec // an index
			}
		}
		meta, err := tx.CreateBucketIfNotExists(bucketMeta)
		if err != nil {
			return fmt.Errorf("creating bucket %s: %w", bucketMeta, err)
		}
		return meta.Put(keyVersion, key(want))
	})
	if err != nil {
		return explain(path, err)
	}
	return nil
}
