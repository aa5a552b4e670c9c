// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// ChangeKind is what a change did.
type ChangeKind string

// The kinds of change.
const (
	VideoPublished ChangeKind = "videoPublished"
	VideoUpdated   ChangeKind = "videoUpdated"
	// VideoDeleted has the video as it was in Old; also for one that is public no more.
	VideoDeleted   ChangeKind = "videoDeleted"
	CommentAdded   ChangeKind = "commentAdded"
	CommentUpdated ChangeKind = "commentUpdated"
	// CommentDeleted has the comment as it was in Old.
	CommentDeleted ChangeKind = "commentDeleted"
	// Rated has the Rate before in Old and the one after, Value 0 for none, in New.
	Rated ChangeKind = "rated"
	// Viewed is a remote video that was watched here. It has Views in New.
	Viewed ChangeKind = "viewed"
	// ActorUpdated is a local account or channel whose description changed. At most one waits for
	// one subject.
	ActorUpdated ChangeKind = "actorUpdated"
	// VideoRefresh is a local video whose counts changed. At most one waits for one subject.
	VideoRefresh ChangeKind = "videoRefresh"
	// VideoWatched is a local video whose views changed. At most one waits for one subject.
	VideoWatched ChangeKind = "videoWatched"
)

// Change is something that happened here and that others are told of.
type Change struct {
	Seq  uint64     `json:"seq"`
	Kind ChangeKind `json:"kind"`
	// Subject is the ActivityPub id of the video, comment or actor.
	Subject string `json:"subject"`
	// Actor is the id of the local actor that did it.
	Actor string `json:"actor"`
	// Old and New are the records before and after, where the kind has them.
	Old json.RawMessage `json:"old,omitempty"`
	New json.RawMessage `json:"new,omitempty"`
	At  time.Time       `json:"at"`
}

// Views is what a change of kind Viewed has in New.
type Views struct {
	Views int64 `json:"views"`
}

// coalesces reports whether at most one change of a kind waits for one subject.
func (k ChangeKind) coalesces() bool {
	return k == VideoRefresh || k == VideoWatched || k == ActorUpdated
}

// AddChange appends to the change log. A kind that coalesces takes the place of one that waits
// already, at the log's end and under a new number, so that whoever works on the old one misses
// nothing.
func (tx *Tx) AddChange(c Change) error {
	b := tx.bucket(bucketChanges)
	var err error
	if c.Seq, err = b.NextSequence(); err != nil {
		return err
	}
	c.At = stamp(c.At)
	if c.Kind.coalesces() {
		waiting := tx.bucket(bucketChangesWaiting)
		k := pair(string(c.Kind), c.Subject)
		if old := waiting.Get(k); old != nil {
			if err := b.Delete(old); err != nil {
				return err
			}
		}
		if err := waiting.Put(k, key(c.Seq)); err != nil {
			return err
		}
	}
	tx.changes = true
	return put(b, key(c.Seq), c)
}

// log appends a change with its records; nil stands for none.
func (tx *Tx) log(kind ChangeKind, subject, actor string, before, after any, at time.Time) error {
	c := Change{Kind: kind, Subject: subject, Actor: actor, At: at}
	for _, r := range []struct {
		to   *json.RawMessage
		from any
	}{{&c.Old, before}, {&c.New, after}} {
		raw, err := json.Marshal(r.from)
		if err != nil {
			return fmt.Errorf("encoding a change: %w", err)
		}
		if string(raw) != "null" {
			*r.to = raw
		}
	}
	return tx.AddChange(c)
}

// Changes returns the first changes of the log, at most max, oldest first.
func (tx *Tx) Changes(most int) ([]Change, error) {
	var all []Change
	if most <= 0 {
		return nil, nil
	}
	err := eachOf(tx, bucketChanges, nil, func(c *Change) (bool, error) {
		all = append(all, *c)
		return len(all) < most, nil
	})
	return all, err
}

// DeleteChange takes a change off the log and reports whether it was there still.
func (tx *Tx) DeleteChange(seq uint64) (bool, error) {
	c, ok, err := get[Change](tx, bucketChanges, key(seq))
	if err != nil || !ok {
		return false, err
	}
	if c.Kind.coalesces() {
		if err := tx.bucket(bucketChangesWaiting).Delete(pair(string(c.Kind), c.Subject)); err != nil {
			return false, err
		}
	}
	return true, tx.bucket(bucketChanges).Delete(key(seq))
}

// Changed has something to receive after changes were added. One reader drains it and then reads
// the log to its end.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// number reads a counter of bucketCounters.
func (tx *Tx) number(name []byte) int {
	raw := tx.bucket(bucketCounters).Get(name)
	if len(raw) != 8 {
		return 0
	}
	return int(binary.BigEndian.Uint64(raw)) //nolint:gosec // it was an int
}

func (tx *Tx) addNumber(name []byte, n int) error {
	return tx.bucket(bucketCounters).Put(name, key(uint64(max(tx.number(name)+n, 0)))) //nolint:gosec // not below 0
}
