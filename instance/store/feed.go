// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/hex"
	"fmt"
)

// Touched is a video that changed, with the words that are searched.
type Touched struct {
	// Seq is the change's place in the order of all changes.
	Seq    uint64
	Number uint64
	// Gone says that there is no such video any more.
	Gone               bool
	Title, Description string
	Tags               []string
	// Channel is the channel's name and handle.
	Channel string
}

// Identity is a random name of this database, so that what is derived from one is not taken for
// another's.
func (s *Store) Identity() (string, error) {
	var id string
	err := s.Read(func(tx *Tx) error {
		id = hex.EncodeToString(tx.bucket(bucketMeta).Get(keyIdentity))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("reading the instance's database: %w", err)
	}
	return id, nil
}

// LastTouch is the Seq of the newest change of a video; 0 before the first.
func (s *Store) LastTouch() (uint64, error) {
	var seq uint64
	err := s.Read(func(tx *Tx) error {
		k, _ := tx.bucket(bucketTouched).Cursor().Last()
		seq = parseKeyText(string(k))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("reading the instance's database: %w", err)
	}
	return seq, nil
}

// TouchedAfter returns the videos that changed after seq, in the order of their last changes, at
// most most of them. A video that changed again stands at its last change alone.
func (s *Store) TouchedAfter(seq uint64, most int) ([]Touched, error) {
	var all []Touched
	names := map[string]string{}
	err := s.Read(func(tx *Tx) error {
		c := tx.bucket(bucketTouched).Cursor()
		for k, v := c.Seek(key(seq + 1)); k != nil && len(all) < most; k, v = c.Next() {
			t, err := tx.touched(parseKeyText(string(v)), names)
			if err != nil {
				return err
			}
			t.Seq = parseKeyText(string(k))
			all = append(all, t)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading changed videos: %w", err)
	}
	return all, nil
}

// Touches has something to receive after videos changed, as Changed.
func (s *Store) Touches() <-chan struct{} { return s.touched }

func (tx *Tx) touched(number uint64, names map[string]string) (Touched, error) {
	t := Touched{Number: number}
	if v, ok, err := tx.Video(number); err != nil {
		return t, err
	} else if ok {
		t.Title, t.Description, t.Tags = v.Title, v.Description, v.Tags
		c, ok, err := get[Channel](tx, bucketChannels, key(v.ChannelID))
		if err == nil && ok {
			t.Channel = c.DisplayName + " " + c.Name
		}
		return t, err
	}
	v, ok, err := tx.RemoteVideoByNumber(number)
	if err != nil || !ok {
		t.Gone = !ok
		return t, err
	}
	t.Title, t.Description, t.Tags = v.Title, v.Description, v.Tags
	name, known := names[v.Channel]
	if !known {
		a, ok, err := tx.Actor(v.Channel)
		if err != nil {
			return t, err
		}
		if ok {
			name = a.Name + " " + a.Username
		}
		names[v.Channel] = name
	}
	t.Channel = name
	return t, nil
}
