// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// FollowState is how far a follow is.
type FollowState string

// The states of a follow.
const (
	FollowPending  FollowState = "pending"
	FollowAccepted FollowState = "accepted"
	FollowRejected FollowState = "rejected"
	// FollowFailed is a follow of ours that could not be delivered; Reason says why.
	FollowFailed FollowState = "failed"
)

// Follow is one actor following another, of which one is local. Following are local actors that
// follow remote ones, followers remote actors that follow local ones.
type Follow struct {
	// ID is the Follow activity's id.
	ID string `json:"id"`
	// Local and Remote are actor ids; together they are the key. Host is the remote's.
	Local  string      `json:"local"`
	Remote string      `json:"remote"`
	Host   string      `json:"host"`
	State  FollowState `json:"state"`
	// Reason is why it was rejected or failed, for a person.
	Reason string `json:"reason,omitempty"`
	// Auto says that it follows back.
	Auto bool `json:"auto,omitempty"`
	// Inbox is a follower's shared inbox, or else its own.
	Inbox   string    `json:"inbox,omitempty"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// Following finds the follow of a remote actor by a local one.
func (tx *Tx) Following(local, remote string) (*Follow, bool, error) {
	return get[Follow](tx, bucketFollowing, pair(local, remote))
}

// PutFollowing stores a local actor's follow. What it brings is listed as soon as it is accepted.
func (tx *Tx) PutFollowing(f *Follow) error {
	tx.following = true
	return tx.putFollow(bucketFollowing, byFollowing, f)
}

// DeleteFollowing forgets a local actor's follow.
func (tx *Tx) DeleteFollowing(local, remote string) error {
	tx.following = true
	return tx.deleteFollow(bucketFollowing, byFollowing, local, remote)
}

// EachFollowing hands out what a local actor follows, or what all do where local is empty, in order
// of the ids, until f returns false.
func (tx *Tx) EachFollowing(local string, f func(*Follow) (more bool, err error)) error {
	return eachOf(tx, bucketFollowing, followPrefix(local), f)
}

// FollowedBy returns the local actors that follow a remote one.
func (tx *Tx) FollowedBy(remote string) ([]string, error) {
	return tx.keysOf(bucketBy, byKey(remote, byFollowing, ""))
}

// Follower finds the follow of a local actor by a remote one.
func (tx *Tx) Follower(local, remote string) (*Follow, bool, error) {
	return get[Follow](tx, bucketFollowers, pair(local, remote))
}

// PutFollower stores a remote actor's follow.
func (tx *Tx) PutFollower(f *Follow) error { return tx.putFollow(bucketFollowers, byFollower, f) }

// DeleteFollower forgets a remote actor's follow.
func (tx *Tx) DeleteFollower(local, remote string) error {
	return tx.deleteFollow(bucketFollowers, byFollower, local, remote)
}

// EachFollower hands out who follows a local actor, or who follows any where local is empty, in order
// of the ids, until f returns false.
func (tx *Tx) EachFollower(local string, f func(*Follow) (more bool, err error)) error {
	return eachOf(tx, bucketFollowers, followPrefix(local), f)
}

// FollowerInboxes returns the inboxes of the accepted followers of local actors, or of all local
// actors where none is named: each once, in order, without those of blocked hosts.
func (tx *Tx) FollowerInboxes(locals ...string) ([]string, error) {
	if len(locals) == 0 {
		locals = []string{""}
	}
	seen := map[string]bool{}
	for _, local := range locals {
		err := tx.EachFollower(local, func(f *Follow) (bool, error) {
			if f.State == FollowAccepted && f.Inbox != "" && !tx.s.Blocked(f.Host) {
				seen[f.Inbox] = true
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	all := make([]string, 0, len(seen))
	for inbox := range seen {
		all = append(all, inbox)
	}
	slices.Sort(all)
	return all, nil
}

func followPrefix(local string) []byte {
	if local == "" {
		return nil
	}
	return pair(local, "")
}

func (tx *Tx) putFollow(bucket []byte, kind byte, f *Follow) error {
	if err := checkID(f.Local, f.Remote); err != nil {
		return err
	}
	if err := tx.hang(f.Remote, kind, f.Local); err != nil {
		return err
	}
	return tx.put(bucket, pair(f.Local, f.Remote), f)
}

func (tx *Tx) deleteFollow(bucket []byte, kind byte, local, remote string) error {
	if err := tx.unhang(remote, kind, local); err != nil {
		return err
	}
	return tx.bucket(bucket).Delete(pair(local, remote))
}

// eachOf hands out the records of a bucket whose keys begin with prefix, until f returns false. f
// may change the bucket: the records are read before.
func eachOf[T any](tx *Tx, bucket, prefix []byte, f func(*T) (bool, error)) error {
	const chunk = 100
	from := prefix
	for {
		recs := make([]*T, 0, chunk)
		var last []byte
		c := tx.bucket(bucket).Cursor()
		k, v := c.Seek(from)
		for ; k != nil && len(recs) < chunk && len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix); k, v = c.Next() {
			rec := new(T)
			if err := json.Unmarshal(v, rec); err != nil {
				return fmt.Errorf("decoding a record of %s, key %q: %w", bucket, k, err)
			}
			recs, last = append(recs, rec), append(last[:0], k...)
		}
		for _, rec := range recs {
			more, err := f(rec)
			if err != nil || !more {
				return err
			}
		}
		if len(recs) < chunk {
			return nil
		}
		from = append(last, 0)
	}
}
