// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"time"
)

// ErrInUse is an account that has channels, or a channel that has videos.
var ErrInUse = errors.New("something belongs to it still")

// DeleteAccount deletes a local account without channels, with its comments and rates, and leaves a
// tombstone. Its key stays, since what tells others is signed and delivered afterwards; the name is
// never to be given again. It returns ErrNotFound where there is no such account.
func (tx *Tx) DeleteAccount(name string) error {
	a, ok := tx.s.Snapshot().Account(name)
	if !ok {
		return ErrNotFound
	}
	err := eachOf(tx, bucketChannels, nil, func(c *Channel) (bool, error) {
		if c.AccountID == a.ID {
			return false, fmt.Errorf("channel %s: %w", c.Name, ErrInUse)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return tx.deleteLocalActor(bucketAccounts, a.ID, accountID(tx.base(), name))
}

// DeleteChannel deletes a local channel without videos, as DeleteAccount.
func (tx *Tx) DeleteChannel(name string) error {
	c, ok := tx.s.Snapshot().Channel(name)
	if !ok {
		return ErrNotFound
	}
	err := eachOf(tx, bucketVideos, nil, func(v *Video) (bool, error) {
		if v.ChannelID == c.ID {
			return false, fmt.Errorf("video %s: %w", v.UUID, ErrInUse)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return tx.deleteLocalActor(bucketChannels, c.ID, channelID(tx.base(), name))
}

func (tx *Tx) deleteLocalActor(bucket []byte, number uint64, id string) error {
	tx.local = true
	if err := tx.Tombstone(id, time.Now()); err != nil {
		return err
	}
	// What hangs on a local actor: its comments, rates and shares.
	hanging, err := tx.keysOf(bucketBy, []byte(id+"\x00"))
	if err != nil {
		return err
	}
	for _, h := range hanging {
		if err := tx.drop(id, h[0], h[1:]); err != nil {
			return err
		}
	}
	err = tx.EachFollower(id, func(f *Follow) (bool, error) { return true, tx.DeleteFollower(f.Local, f.Remote) })
	if err != nil {
		return err
	}
	err = tx.EachFollowing(id, func(f *Follow) (bool, error) { return true, tx.DeleteFollowing(f.Local, f.Remote) })
	if err != nil {
		return err
	}
	return tx.bucket(bucket).Delete(key(number))
}
