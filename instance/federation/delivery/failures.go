// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Failures returns the latest deliveries that were given up, the newest first; most 0: all.
func (q *Queue) Failures(most int) ([]Failure, error) {
	var fs []Failure
	err := q.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketFailures).Cursor()
		for k, v := c.Last(); k != nil && (most <= 0 || len(fs) < most); k, v = c.Prev() {
			var f Failure
			if err := json.Unmarshal(v, &f); err != nil {
				return err
			}
			fs = append(fs, f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the failed deliveries: %w", err)
	}
	return fs, nil
}

// putFailure adds f to the list, and takes the oldest off where it is longer than most.
func putFailure(tx *bolt.Tx, f Failure, most int) error {
	b := tx.Bucket(bucketFailures)
	b.FillPercent = fill
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	v, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := b.Put(seqKey(n), v); err != nil {
		return err
	}
	// The numbers have no gaps, so this is all that can be too old.
	if n <= uint64(most) {
		return nil
	}
	c := b.Cursor()
	for k, _ := c.First(); k != nil && string(k) <= string(seqKey(n-uint64(most))); k, _ = c.First() {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
