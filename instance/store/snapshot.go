// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Snapshot is one state of the database in memory. It never changes, and neither may what it hands
// out.
type Snapshot struct {
	settings  map[string]string
	accounts  map[uint64]*Account
	channels  map[uint64]*Channel
	names     map[string]uint64 // channel names
	users     map[string]uint64 // account names
	videos    []*Video          // in order of their ids
	byID      map[uint64]*Video
	byUUID    map[string]*Video
	infohash  map[Hash]Ref
	byMedia   map[string]Ref
	byTorrent map[string]Ref
	byImage   map[string]*Video
	keys      map[string]actorKey
	lines     map[uint64]*line // what lists need of the videos
}

// Ref is one rendition of one video.
type Ref struct {
	Video *Video
	File  *File
	// Torrent is the torrent that was asked for: the present one or one from before a rename.
	Torrent Torrent
}

func newSnapshot() *Snapshot {
	return &Snapshot{
		settings: map[string]string{}, accounts: map[uint64]*Account{}, channels: map[uint64]*Channel{},
		names: map[string]uint64{}, users: map[string]uint64{}, byID: map[uint64]*Video{}, byUUID: map[string]*Video{},
		infohash: map[Hash]Ref{}, byMedia: map[string]Ref{}, byTorrent: map[string]Ref{}, byImage: map[string]*Video{},
		keys: map[string]actorKey{}, lines: map[uint64]*line{},
	}
}

// load reads all there is, but takes keys that old has from there: they never change.
func (s *Snapshot) load(tx *bolt.Tx, old *Snapshot) error {
	err := tx.Bucket(bucketSettings).ForEach(func(k, v []byte) error {
		s.settings[string(k)] = string(v)
		return nil
	})
	if err != nil {
		return err
	}
	err = each(tx, bucketAccounts, func(a *Account) {
		s.accounts[a.ID], s.users[a.Name] = a, a.ID
	})
	if err != nil {
		return err
	}
	err = each(tx, bucketChannels, func(c *Channel) {
		s.channels[c.ID], s.names[c.Name] = c, c.ID
	})
	if err != nil {
		return err
	}
	if err := each(tx, bucketVideos, s.addVideo); err != nil {
		return err
	}
	for _, v := range s.videos {
		s.lines[v.ID] = s.lineOf(v)
	}
	return tx.Bucket(bucketKeys).ForEach(func(k, v []byte) error {
		name := string(k)
		if old != nil {
			if have, ok := old.keys[name]; ok {
				s.keys[name] = have
				return nil
			}
		}
		parsed, err := parseKey(v)
		s.keys[name] = parsed
		return err
	})
}

func each[T any](tx *bolt.Tx, bucket []byte, f func(*T)) error {
	return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		rec := new(T)
		if err := json.Unmarshal(v, rec); err != nil {
			return fmt.Errorf("decoding a record of %s, key %x: %w", bucket, k, err)
		}
		f(rec)
		return nil
	})
}

func (s *Snapshot) addVideo(v *Video) {
	s.videos = append(s.videos, v)
	s.indexVideo(v)
}

// with is the snapshot with videos in the place of the ones with the same numbers, of which nothing
// but the views differs.
func (s *Snapshot) with(videos []*Video) *Snapshot {
	n := *s
	n.videos, n.lines = slices.Clone(s.videos), maps.Clone(s.lines)
	n.byID, n.byUUID, n.byImage = maps.Clone(s.byID), maps.Clone(s.byUUID), maps.Clone(s.byImage)
	n.infohash, n.byMedia, n.byTorrent = maps.Clone(s.infohash), maps.Clone(s.byMedia), maps.Clone(s.byTorrent)
	for _, v := range videos {
		at, ok := slices.BinarySearchFunc(n.videos, v.ID, func(v *Video, id uint64) int { return cmp.Compare(v.ID, id) })
		if !ok {
			continue
		}
		n.videos[at] = v
		n.indexVideo(v)
		n.lines[v.ID] = n.lineOf(v)
	}
	return &n
}

func (s *Snapshot) indexVideo(v *Video) {
	s.byID[v.ID], s.byUUID[v.UUID] = v, v
	s.byImage[v.Thumbnail], s.byImage[v.Preview] = v, v
	for i := range v.Files {
		f := &v.Files[i]
		s.byMedia[f.Name] = Ref{v, f, f.Torrent}
		for _, t := range f.Torrents() {
			s.infohash[t.Infohash] = Ref{v, f, t}
			s.byTorrent[t.File] = Ref{v, f, t}
		}
	}
}

// Setting returns a setting, empty when it is not set.
func (s *Snapshot) Setting(name string) string { return s.settings[name] }

// Videos returns all videos in order of their ids.
func (s *Snapshot) Videos() []*Video { return s.videos }

// Video finds a video by its number.
func (s *Snapshot) Video(id uint64) (*Video, bool) {
	v, ok := s.byID[id]
	return v, ok
}

// VideoByUUID finds a video by its UUID in lower case.
func (s *Snapshot) VideoByUUID(uuid string) (*Video, bool) {
	v, ok := s.byUUID[uuid]
	return v, ok
}

// ByInfohash finds a rendition by its infohash or by one from before a rename.
func (s *Snapshot) ByInfohash(h Hash) (Ref, bool) {
	r, ok := s.infohash[h]
	return r, ok
}

// ByMedia finds a rendition by its file's name in media/.
func (s *Snapshot) ByMedia(name string) (Ref, bool) {
	r, ok := s.byMedia[name]
	return r, ok
}

// ByTorrent finds a rendition by its .torrent's name in torrents/, also one from before a rename.
func (s *Snapshot) ByTorrent(name string) (Ref, bool) {
	r, ok := s.byTorrent[name]
	return r, ok
}

// ByImage finds a video by its thumbnail's or preview's name.
func (s *Snapshot) ByImage(name string) (*Video, bool) {
	v, ok := s.byImage[name]
	return v, ok
}

// Account finds an account by its name.
func (s *Snapshot) Account(name string) (*Account, bool) {
	a, ok := s.accounts[s.users[name]]
	return a, ok
}

// AccountByID finds an account by its number.
func (s *Snapshot) AccountByID(id uint64) (*Account, bool) {
	a, ok := s.accounts[id]
	return a, ok
}

// Channel finds a channel by its name.
func (s *Snapshot) Channel(name string) (*Channel, bool) {
	c, ok := s.channels[s.names[name]]
	return c, ok
}

// ChannelByID finds a channel by its number.
func (s *Snapshot) ChannelByID(id uint64) (*Channel, bool) {
	c, ok := s.channels[id]
	return c, ok
}

// ChannelNames returns the names of all channels, in no order.
func (s *Snapshot) ChannelNames() []string {
	names := make([]string, 0, len(s.names))
	for n := range s.names {
		names = append(names, n)
	}
	return names
}

// AccountNames returns the names of all accounts, in no order.
func (s *Snapshot) AccountNames() []string {
	names := make([]string, 0, len(s.users))
	for n := range s.users {
		names = append(names, n)
	}
	return names
}
