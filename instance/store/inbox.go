// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// InboxItem is an activity that was received and verified and waits to take effect.
type InboxItem struct {
	Seq      uint64    `json:"seq"`
	Received time.Time `json:"received"`
	// Due is when it is tried next.
	Due      time.Time `json:"due"`
	Attempts int       `json:"attempts,omitempty"`
	// Signer is the id of the actor whose signature counts, HTTP or LD; Host is that id's host.
	Signer string `json:"signer"`
	Host   string `json:"host"`
	// Target is the local actor whose inbox it came to, empty for the shared one.
	Target     string `json:"target,omitempty"`
	ActivityID string `json:"activityId,omitempty"`
	// Forwarded says that it was verified by its LD signature alone.
	Forwarded bool `json:"forwarded,omitempty"`
	// Error is what the last attempt said.
	Error string `json:"error,omitempty"`
	// Body is the activity as it came.
	Body []byte `json:"-"`
}

// PutInbox appends an item to the inbox. It sets it.Seq; Due is Received where it is zero.
func (tx *Tx) PutInbox(it *InboxItem) error {
	b := tx.bucket(bucketInbox)
	var err error
	if it.Seq, err = b.NextSequence(); err != nil {
		return err
	}
	if it.Due.IsZero() {
		it.Due = it.Received
	}
	if err := tx.bucket(bucketInboxBodies).Put(key(it.Seq), it.Body); err != nil {
		return err
	}
	return put(b, key(it.Seq), it)
}

// EachInbox hands out the inbox in order, without bodies, until f returns false.
func (tx *Tx) EachInbox(f func(*InboxItem) (more bool, err error)) error {
	return tx.scan(bucketInbox, nil, func(_, v []byte) (bool, error) {
		it := new(InboxItem)
		if err := json.Unmarshal(v, it); err != nil {
			return false, fmt.Errorf("decoding an inbox item: %w", err)
		}
		return f(it)
	})
}

// InboxBody returns an item's body, nil where there is none.
func (tx *Tx) InboxBody(seq uint64) []byte {
	return bytes.Clone(tx.bucket(bucketInboxBodies).Get(key(seq)))
}

// PutInboxAgain stores an item's new Due, Attempts and Error. It keeps its place.
func (tx *Tx) PutInboxAgain(it *InboxItem) error {
	b := tx.bucket(bucketInbox)
	if b.Get(key(it.Seq)) == nil {
		return ErrNotFound
	}
	return put(b, key(it.Seq), it)
}

// DeleteInbox takes an item off the inbox. It is no error where it is not there.
func (tx *Tx) DeleteInbox(seq uint64) error {
	b := tx.bucket(bucketInbox)
	if b.Get(key(seq)) == nil {
		return nil
	}
	if err := tx.bucket(bucketInboxBodies).Delete(key(seq)); err != nil {
		return err
	}
	return b.Delete(key(seq))
}

// Bounds of the memory of what was seen.
const (
	seenFor  = 7 * 24 * time.Hour
	maxSeen  = 500_000
	seenStep = 8 // how many old ones one new one throws out
)

// Seen reports whether an activity took effect already.
func (tx *Tx) Seen(activityID string) bool {
	return tx.bucket(bucketSeen).Get([]byte(activityID)) != nil
}

// MarkSeen notes that an activity took effect. It is forgotten after 7 days, or when 500,000 newer
// ones came.
func (tx *Tx) MarkSeen(activityID string, at time.Time) error {
	if err := checkID(activityID); err != nil {
		return err
	}
	seen, order := tx.bucket(bucketSeen), tx.bucket(bucketSeenOrder)
	if seen.Get([]byte(activityID)) != nil {
		return nil
	}
	when := key(uint64(max(at.UnixMilli(), 0))) //nolint:gosec // not below 0
	if err := seen.Put([]byte(activityID), when); err != nil {
		return err
	}
	if err := order.Put(append(bytes.Clone(when), activityID...), nil); err != nil {
		return err
	}
	if err := tx.addNumber(keySeenDepth, 1); err != nil {
		return err
	}
	return tx.forgetSeen(at)
}

func (tx *Tx) forgetSeen(now time.Time) error {
	order := tx.bucket(bucketSeenOrder)
	for range seenStep {
		k, _ := order.Cursor().First()
		if len(k) < 8 {
			return nil
		}
		old := time.UnixMilli(int64(binary.BigEndian.Uint64(k))) //nolint:gosec // it was an int64
		if now.Sub(old) < seenFor && tx.number(keySeenDepth) <= maxSeen {
			return nil
		}
		k = bytes.Clone(k)
		if err := tx.bucket(bucketSeen).Delete(k[8:]); err != nil {
			return err
		}
		if err := order.Delete(k); err != nil {
			return err
		}
		if err := tx.addNumber(keySeenDepth, -1); err != nil {
			return err
		}
	}
	return nil
}

// Refused is something that was received and not accepted, for the administrator to read.
type Refused struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor,omitempty"`
	Host   string    `json:"host,omitempty"`
	Type   string    `json:"type,omitempty"`
	ID     string    `json:"id,omitempty"`
	Reason string    `json:"reason"`
	// Body is its beginning.
	Body []byte `json:"body,omitempty"`
}

const (
	maxRefused     = 1000
	maxRefusedBody = 4 << 10
)

// AddRefused keeps a refused object, of the last 1000.
func (tx *Tx) AddRefused(r Refused) error {
	b := tx.bucket(bucketRefused)
	seq, err := b.NextSequence()
	if err != nil {
		return err
	}
	r.Body = r.Body[:min(len(r.Body), maxRefusedBody)]
	if seq > maxRefused {
		if err := b.Delete(key(seq - maxRefused)); err != nil {
			return err
		}
	}
	return put(b, key(seq), r)
}

// Refusals returns the newest refused objects, at most most, newest first.
func (tx *Tx) Refusals(most int) ([]Refused, error) {
	var all []Refused
	c := tx.bucket(bucketRefused).Cursor()
	for k, v := c.Last(); k != nil && len(all) < most; k, v = c.Prev() {
		var r Refused
		if err := json.Unmarshal(v, &r); err != nil {
			return nil, fmt.Errorf("decoding a refused object: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// Tombstone notes that an object was deleted for good.
func (tx *Tx) Tombstone(id string, at time.Time) error {
	if err := checkID(id); err != nil {
		return err
	}
	return tx.bucket(bucketTombstones).Put([]byte(id), key(uint64(max(at.UnixMilli(), 0)))) //nolint:gosec // not below 0
}

// Gone reports whether an object was deleted for good.
func (tx *Tx) Gone(id string) bool { return tx.bucket(bucketTombstones).Get([]byte(id)) != nil }

// GoneAt is when an object was deleted; the zero time where it was not.
func (tx *Tx) GoneAt(id string) time.Time {
	raw := tx.bucket(bucketTombstones).Get([]byte(id))
	if len(raw) != 8 {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(raw))).UTC() //nolint:gosec // it was an int64
}

// Revive takes a tombstone away.
func (tx *Tx) Revive(id string) error { return tx.bucket(bucketTombstones).Delete([]byte(id)) }

// Walk is how far an actor's outbox was read.
type Walk struct {
	Actor string `json:"actor"`
	// Next is the page to read next.
	Next    string    `json:"next,omitempty"`
	Pages   int       `json:"pages"`
	Items   int       `json:"items"`
	Brought int       `json:"brought"`
	Done    bool      `json:"done,omitempty"`
	Error   string    `json:"error,omitempty"`
	Due     time.Time `json:"due,omitzero"`
	Updated time.Time `json:"updated,omitzero"`
}

// PutWalk stores how far an outbox was read.
func (tx *Tx) PutWalk(w Walk) error {
	if err := checkID(w.Actor); err != nil {
		return err
	}
	return tx.put(bucketWalks, []byte(w.Actor), w)
}

// Walk returns how far an actor's outbox was read.
func (tx *Tx) Walk(actor string) (*Walk, bool, error) {
	return get[Walk](tx, bucketWalks, []byte(actor))
}

// Walks returns all walks in order of the actors' ids.
func (tx *Tx) Walks() ([]Walk, error) {
	var all []Walk
	err := eachOf(tx, bucketWalks, nil, func(w *Walk) (bool, error) {
		all = append(all, *w)
		return true, nil
	})
	return all, err
}

// DeleteWalk forgets a walk.
func (tx *Tx) DeleteWalk(actor string) error { return tx.bucket(bucketWalks).Delete([]byte(actor)) }
