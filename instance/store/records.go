// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The settings' names.
const (
	SettingURL = "publicURL"
)

// The actors of a first start. NameInstance is the instance's own actor; no account may take it.
const (
	NameInstance = "peertube"
	NameRoot     = "root"
	NameChannel  = "root_channel"
)

var (
	// ErrNotFound is what there is none of.
	ErrNotFound = errors.New("not found")
	// ErrTaken is a name that an account or a channel has already.
	ErrTaken = errors.New("the name is taken")
)

// SetSetting stores a setting.
func (s *Store) SetSetting(name, value string) error {
	return s.Write("storing setting "+name, func(tx *Tx) error {
		tx.local = true
		return tx.bucket(bucketSettings).Put([]byte(name), []byte(value))
	})
}

// EnsureRoot makes the account root with the channel root_channel where they are missing.
func (s *Store) EnsureRoot(now time.Time) error {
	snap := s.Snapshot()
	if a, ok := snap.Account(NameRoot); ok {
		if _, ok := snap.Channel(NameChannel); ok {
			return nil
		}
		_, err := s.AddChannel(Channel{AccountID: a.ID, Name: NameChannel, DisplayName: "Main root channel"}, now)
		return err
	}
	a, err := s.AddAccount(Account{Name: NameRoot, DisplayName: NameRoot}, now)
	if err != nil {
		return err
	}
	_, err = s.AddChannel(Channel{AccountID: a.ID, Name: NameChannel, DisplayName: "Main root channel"}, now)
	return err
}

// AddAccount stores a new account and returns it with its number.
func (s *Store) AddAccount(a Account, now time.Time) (Account, error) {
	a.Created, a.Updated = stamp(now), stamp(now)
	der, err := s.newKey()
	if err != nil {
		return a, err
	}
	err = s.Write("adding account "+a.Name, func(tx *Tx) error {
		if s.taken(a.Name) {
			return ErrTaken
		}
		tx.local = true
		if err := tx.bucket(bucketKeys).Put([]byte(a.Name), der); err != nil {
			return err
		}
		b := tx.bucket(bucketAccounts)
		var err error
		if a.ID, err = b.NextSequence(); err != nil {
			return err
		}
		return put(b, key(a.ID), a)
	})
	return a, err
}

// AddChannel stores a new channel of an existing account and returns it with its number.
func (s *Store) AddChannel(c Channel, now time.Time) (Channel, error) {
	c.Created, c.Updated = stamp(now), stamp(now)
	der, err := s.newKey()
	if err != nil {
		return c, err
	}
	err = s.Write("adding channel "+c.Name, func(tx *Tx) error {
		if s.taken(c.Name) {
			return ErrTaken
		}
		if _, ok := s.Snapshot().AccountByID(c.AccountID); !ok {
			return ErrNotFound
		}
		tx.local = true
		if err := tx.bucket(bucketKeys).Put([]byte(c.Name), der); err != nil {
			return err
		}
		b := tx.bucket(bucketChannels)
		var err error
		if c.ID, err = b.NextSequence(); err != nil {
			return err
		}
		return put(b, key(c.ID), c)
	})
	return c, err
}

// taken reports whether a name is in use: accounts and channels share their names, as in PeerTube.
func (s *Store) taken(name string) bool {
	snap := s.Snapshot()
	_, account := snap.Account(name)
	_, channel := snap.Channel(name)
	return name == "" || name == NameInstance || account || channel
}

// PutDraft notes the files of a publication before they are made.
func (s *Store) PutDraft(d Draft) error {
	return s.Write("storing a draft", func(tx *Tx) error { return tx.PutDraft(d) })
}

// PutDraft is Store.PutDraft within a transaction: for the files of a video that it deletes.
func (tx *Tx) PutDraft(d Draft) error { return tx.put(bucketDrafts, []byte(d.UUID), d) }

// DeleteDraft forgets a draft whose files are gone.
func (s *Store) DeleteDraft(uuid string) error {
	return s.Write("deleting a draft", func(tx *Tx) error {
		return tx.bucket(bucketDrafts).Delete([]byte(uuid))
	})
}

// Drafts returns the publications that did not come to an end.
func (s *Store) Drafts() ([]Draft, error) {
	var all []Draft
	err := s.db.View(func(tx *bolt.Tx) error {
		return each(tx, bucketDrafts, func(d *Draft) { all = append(all, *d) })
	})
	if err != nil {
		return nil, fmt.Errorf("reading drafts: %w", err)
	}
	return all, nil
}

// Publish turns a draft into a video, in one step. It numbers the video and its files.
func (s *Store) Publish(draft string, v Video) (*Video, error) {
	v.State = StatePublished
	v.Created, v.Updated, v.Published = stamp(v.Created), stamp(v.Updated), stamp(v.Published)
	v.Files = slices.Clone(v.Files)
	err := s.Write("storing the video", func(tx *Tx) error { return tx.publish(draft, &v) })
	if err != nil {
		return nil, err
	}
	stored, _ := s.Snapshot().Video(v.ID)
	return stored, nil
}

func (tx *Tx) publish(draft string, v *Video) error {
	if _, ok, err := get[Channel](tx, bucketChannels, key(v.ChannelID)); err != nil || !ok {
		return errors.Join(err, ErrNotFound)
	}
	var err error
	if v.ID, err = tx.bucket(bucketVideos).NextSequence(); err != nil {
		return err
	}
	for i := range v.Files {
		if v.Files[i].ID, err = tx.bucket(bucketFiles).NextSequence(); err != nil {
			return err
		}
	}
	if err := tx.settle(draft, v.UUID); err != nil {
		return err
	}
	if err := tx.bucket(bucketDrafts).Delete([]byte(draft)); err != nil {
		return err
	}
	if err := tx.putVideo(v); err != nil || !v.Listed() {
		return err
	}
	return tx.logVideo(VideoPublished, v, nil, v, v.Published)
}

// Update changes one video: change gets a copy of it.
func (s *Store) Update(videoID uint64, change func(*Video) error) error {
	return s.Write("updating the video", func(tx *Tx) error { return tx.UpdateVideo(videoID, change) })
}

// Rename gives a video a title and its files the torrents that go with it, in the files' order. The
// torrents before stay known.
func (s *Store) Rename(videoID uint64, title string, torrents []Torrent, now time.Time) error {
	return s.Update(videoID, func(v *Video) error {
		if len(torrents) != len(v.Files) {
			return fmt.Errorf("%d torrents for %d files", len(torrents), len(v.Files))
		}
		for i := range v.Files {
			f := &v.Files[i]
			if f.Infohash == torrents[i].Infohash {
				continue
			}
			old := append([]Torrent{f.Torrent}, f.Old...)
			// A title taken up again is no old one any more.
			f.Old = slices.DeleteFunc(old, func(t Torrent) bool { return t.Infohash == torrents[i].Infohash })
			f.Torrent = torrents[i]
		}
		v.Title, v.Updated = title, stamp(now)
		return nil
	})
}

// AddViews adds to the view counts of videos, by their numbers, as Tx.AddViews.
func (s *Store) AddViews(views map[uint64]int64) error {
	if len(views) == 0 {
		return nil
	}
	return s.Write("storing views", func(tx *Tx) error { return tx.AddViews(views) })
}

// stamp is a time as it is kept: UTC, milliseconds, as the REST API tells it.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
