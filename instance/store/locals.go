// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"time"
)

// The ids of local actors and videos below the public URL: PeerTube's paths.
func accountID(base, name string) string { return base + "/accounts/" + url.PathEscape(name) }
func channelID(base, name string) string { return base + "/video-channels/" + url.PathEscape(name) }
func videoID(base, uuid string) string   { return base + "/videos/watch/" + uuid }

// Video finds a local video by its number.
func (tx *Tx) Video(number uint64) (*Video, bool, error) {
	return get[Video](tx, bucketVideos, key(number))
}

// putVideo stores a local video.
func (tx *Tx) putVideo(v *Video) error {
	tx.local = true
	if err := tx.touch(v.ID); err != nil {
		return err
	}
	return tx.put(bucketVideos, key(v.ID), v)
}

// ownerOf is the id of the account that a local video belongs to.
func (tx *Tx) ownerOf(v *Video) (string, error) {
	c, ok, err := get[Channel](tx, bucketChannels, key(v.ChannelID))
	if err != nil || !ok {
		return "", err
	}
	a, ok, err := get[Account](tx, bucketAccounts, key(c.AccountID))
	if err != nil || !ok {
		return "", err
	}
	return accountID(tx.base(), a.Name), nil
}

// logVideo appends a change of a local video by its owner.
func (tx *Tx) logVideo(kind ChangeKind, v *Video, before, after any, at time.Time) error {
	owner, err := tx.ownerOf(v)
	if err != nil {
		return err
	}
	return tx.log(kind, videoID(tx.base(), v.UUID), owner, before, after, at)
}

// refresh notes that a local video's counts changed.
func (tx *Tx) refresh(v *Video) error {
	if !v.Listed() {
		return nil
	}
	return tx.logVideo(VideoRefresh, v, nil, nil, time.Now())
}

// UpdateVideo changes a local video: change gets a copy of it. What others are to know goes to the
// change log: an update, or published and deleted where the privacy opened or closed. It returns
// ErrNotFound where there is no such video.
func (tx *Tx) UpdateVideo(number uint64, change func(*Video) error) error {
	old, ok, err := tx.Video(number)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNotFound
	}
	v, _, err := tx.Video(number)
	if err != nil {
		return err
	}
	if err := change(v); err != nil {
		return err
	}
	v.ID, v.UUID = old.ID, old.UUID
	if viewsAlone(old, v) {
		return tx.putViews(v)
	}
	if err := tx.putVideo(v); err != nil {
		return err
	}
	switch was, is := old.Listed(), v.Listed(); {
	case was && !is:
		return tx.logVideo(VideoDeleted, v, old, nil, time.Now())
	case !was && is:
		return tx.logVideo(VideoPublished, v, nil, v, time.Now())
	case is && !sameAbroad(old, v):
		return tx.logVideo(VideoUpdated, v, old, v, time.Now())
	}
	return nil
}

// sameAbroad reports whether others see no difference: views are told on their own, and a file's
// time matters here alone.
func sameAbroad(a, b *Video) bool {
	told := func(v *Video) Video {
		c := *v
		c.Views, c.Updated = 0, time.Time{}
		c.Files = append([]File(nil), v.Files...)
		for i := range c.Files {
			c.Files[i].ModTime, c.Files[i].Old = time.Time{}, nil
		}
		return c
	}
	return reflect.DeepEqual(told(a), told(b))
}

// viewsAlone reports whether a change counts views and nothing else.
func viewsAlone(before, after *Video) bool {
	c := *after
	c.Views = before.Views
	return after.Views != before.Views && reflect.DeepEqual(&c, before)
}

// DeleteVideo deletes a local video with its comments, rates and shares, leaves a tombstone for its
// ActivityPub id and returns it as it was, so that its files can be deleted. It returns ErrNotFound
// where there is no such video.
func (tx *Tx) DeleteVideo(number uint64, at time.Time) (*Video, error) {
	v, ok, err := tx.Video(number)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	if v.Listed() {
		if err := tx.logVideo(VideoDeleted, v, v, nil, at); err != nil {
			return nil, err
		}
	}
	id := videoID(tx.base(), v.UUID)
	if err := tx.deleteTalk(id); err != nil {
		return nil, err
	}
	if err := tx.Tombstone(id, at); err != nil {
		return nil, err
	}
	tx.local = true
	if err := tx.touch(v.ID); err != nil {
		return nil, err
	}
	return v, tx.bucket(bucketVideos).Delete(key(number))
}

// AddViews adds to the view counts of videos, by their numbers: a local one's is logged as
// VideoWatched. A remote video's count is its origin's to tell: its views are logged alone, as Viewed.
// Videos that are gone are passed over.
func (tx *Tx) AddViews(views map[uint64]int64) error {
	for number, n := range views {
		if n <= 0 {
			continue
		}
		v, ok, err := tx.Video(number)
		if err != nil {
			return err
		}
		if ok {
			if err := tx.addViews(v, n); err != nil {
				return err
			}
			continue
		}
		r, ok, err := tx.RemoteVideoByNumber(number)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := tx.log(Viewed, r.ID, accountID(tx.base(), NameInstance), nil, Views{n}, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// addViews counts views of a local video.
func (tx *Tx) addViews(v *Video, n int64) error {
	v.Views += n
	return tx.putViews(v)
}

// putViews stores a local video of which the views alone changed: what is in memory need not be read
// anew.
func (tx *Tx) putViews(v *Video) error {
	tx.watched = append(tx.watched, v)
	if err := tx.put(bucketVideos, key(v.ID), v); err != nil || !v.Listed() {
		return err
	}
	return tx.logVideo(VideoWatched, v, nil, nil, time.Now())
}

// AddReceivedViews adds views that others told of to a local video's count, by its ActivityPub id.
// It is no error where there is no such video.
func (tx *Tx) AddReceivedViews(id string, n int64) error {
	v, ok, err := tx.localVideo(id)
	if err != nil || !ok || n <= 0 {
		return err
	}
	return tx.addViews(v, n)
}

// UpdateAccount changes a local account: change gets a copy. The name stays.
func (tx *Tx) UpdateAccount(name string, change func(*Account) error) error {
	a, ok := tx.s.Snapshot().Account(name)
	if !ok {
		return ErrNotFound
	}
	return updateActor(tx, bucketAccounts, a.ID, accountID(tx.base(), name), func(a *Account) error {
		err := change(a)
		a.Name = name
		return err
	})
}

// UpdateChannel changes a local channel: change gets a copy. The name stays.
func (tx *Tx) UpdateChannel(name string, change func(*Channel) error) error {
	c, ok := tx.s.Snapshot().Channel(name)
	if !ok {
		return ErrNotFound
	}
	for _, v := range tx.s.Snapshot().Videos() {
		if v.ChannelID != c.ID {
			continue
		}
		if err := tx.touch(v.ID); err != nil {
			return err
		}
	}
	return updateActor(tx, bucketChannels, c.ID, channelID(tx.base(), name), func(c *Channel) error {
		err := change(c)
		c.Name = name
		return err
	})
}

func updateActor[T any](tx *Tx, bucket []byte, number uint64, id string, change func(*T) error) error {
	raw := tx.bucket(bucket).Get(key(number))
	rec := new(T)
	if err := json.Unmarshal(raw, rec); err != nil {
		return fmt.Errorf("decoding %s: %w", id, err)
	}
	if err := change(rec); err != nil {
		return err
	}
	tx.local = true
	if err := tx.put(bucket, key(number), rec); err != nil {
		return err
	}
	return tx.log(ActorUpdated, id, id, nil, rec, time.Now())
}
