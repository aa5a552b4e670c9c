// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// keyText is a number as the end of a key, and parseKeyText reads it.
func keyText(n uint64) string { return string(key(n)) }

func parseKeyText(s string) uint64 {
	if len(s) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(s))
}

// RemoteVideo finds a remote video by its ActivityPub id.
func (tx *Tx) RemoteVideo(id string) (*RemoteVideo, bool, error) {
	return tx.remoteAt(tx.bucket(bucketRemoteIDs).Get([]byte(id)))
}

// RemoteVideoByUUID finds a remote video by its UUID in lower case. Where two instances claim one
// UUID, it is the one that came first, but one that is listed before one that is not.
func (tx *Tx) RemoteVideoByUUID(uuid string) (*RemoteVideo, bool, error) {
	return tx.remoteAt(tx.bucket(bucketRemoteUUIDs).Get([]byte(uuid)))
}

// RemoteVideoByNumber finds a remote video by its number.
func (tx *Tx) RemoteVideoByNumber(number uint64) (*RemoteVideo, bool, error) {
	return tx.remoteAt(key(number))
}

func (tx *Tx) remoteAt(k []byte) (*RemoteVideo, bool, error) {
	if len(k) == 0 {
		return nil, false, nil
	}
	raw := tx.bucket(bucketRemote).Get(k)
	if raw == nil {
		return nil, false, nil
	}
	v, err := tx.s.decodeRemote(raw)
	if err != nil {
		return nil, false, fmt.Errorf("decoding remote video %x: %w", k, err)
	}
	return v, true, nil
}

// EachRemoteVideo hands out all remote videos in order of their numbers, until f returns false.
func (tx *Tx) EachRemoteVideo(f func(*RemoteVideo) (more bool, err error)) error {
	var after uint64
	for {
		k, _ := tx.bucket(bucketRemote).Cursor().Seek(key(after + 1))
		if k == nil {
			return nil
		}
		v, ok, err := tx.remoteAt(k)
		if err != nil || !ok {
			return err
		}
		after = v.Number
		if more, err := f(v); err != nil || !more {
			return err
		}
	}
}

// PutRemoteVideo stores a remote video. It sets v.Number and the files' numbers: the ones they had,
// else new ones. Sources are added to those it has already.
func (tx *Tx) PutRemoteVideo(v *RemoteVideo) error {
	if err := checkID(v.ID, v.UUID); err != nil {
		return err
	}
	old, ok, err := tx.RemoteVideo(v.ID)
	if err != nil {
		return err
	}
	if ok {
		v.Number = old.Number
		v.Sources = mergeSources(old.Sources, v.Sources)
		if !sameKeys(old, v) {
			if err := tx.unindexRemote(old); err != nil {
				return err
			}
		}
	} else {
		old = &RemoteVideo{}
		v.Sources = mergeSources(nil, v.Sources)
		if v.Number, err = tx.bucket(bucketVideos).NextSequence(); err != nil {
			return err
		}
	}
	if err := tx.numberFiles(old, v); err != nil {
		return err
	}
	if !ok || !sameKeys(old, v) {
		if err := tx.indexRemote(v); err != nil {
			return err
		}
	}
	if err := tx.storeRemote(v); err != nil || ok && sameWords(old, v) {
		return err
	}
	return tx.touch(v.Number)
}

// sameKeys reports whether the same keys lead to two states of a video.
func sameKeys(a, b *RemoteVideo) bool {
	return a.UUID == b.UUID && a.Account == b.Account && a.Channel == b.Channel && slices.Equal(a.Sources, b.Sources)
}

// sameWords reports whether two states of a video have the same words to be found by.
func sameWords(a, b *RemoteVideo) bool {
	return a.Title == b.Title && a.Description == b.Description && a.Channel == b.Channel && slices.Equal(a.Tags, b.Tags)
}

// mergeSources is both lists, each id once, without ids that cannot be keys.
func mergeSources(old, more []string) []string {
	all := slices.Clone(old)
	for _, s := range more {
		if checkID(s) == nil && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// numberFiles gives files and playlists their numbers; what has the same URL keeps its own.
func (tx *Tx) numberFiles(old, v *RemoteVideo) error {
	known := map[string]uint64{}
	for _, f := range old.Files {
		known[f.URL] = f.Number
	}
	for _, p := range old.Playlists {
		known["playlist "+p.MasterURL] = p.Number
		for _, f := range p.Files {
			known[f.URL] = f.Number
		}
	}
	number := func(n *uint64, url string) (err error) {
		if *n = known[url]; *n == 0 {
			*n, err = tx.bucket(bucketFiles).NextSequence()
		}
		delete(known, url)
		return err
	}
	for i := range v.Files {
		if err := number(&v.Files[i].Number, v.Files[i].URL); err != nil {
			return err
		}
	}
	for i := range v.Playlists {
		p := &v.Playlists[i]
		if err := number(&p.Number, "playlist "+p.MasterURL); err != nil {
			return err
		}
		for j := range p.Files {
			if err := number(&p.Files[j].Number, p.Files[j].URL); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexRemote writes the keys that lead to a remote video.
func (tx *Tx) indexRemote(v *RemoteVideo) error {
	if err := tx.bucket(bucketRemoteIDs).Put([]byte(v.ID), key(v.Number)); err != nil {
		return err
	}
	for _, h := range tx.hangsOn(v) {
		if err := tx.hang(h.actor, h.kind, keyText(v.Number)); err != nil {
			return err
		}
	}
	return nil
}

// claim leads a video's UUID to it, unless another has the UUID: that one gives way where it is not
// listed and this one is, so that nobody keeps a UUID from its owner by bringing one like it first.
func (tx *Tx) claim(v *RemoteVideo) error {
	b := tx.bucket(bucketRemoteUUIDs)
	if holder := parseKeyText(string(b.Get([]byte(v.UUID)))); holder != 0 {
		if holder == v.Number || !tx.s.Lists(v) {
			return nil
		}
		other, ok, err := tx.RemoteVideoByNumber(holder)
		if err != nil || ok && tx.s.Lists(other) {
			return err
		}
	}
	return b.Put([]byte(v.UUID), key(v.Number))
}

// unindexRemote takes them away.
func (tx *Tx) unindexRemote(v *RemoteVideo) error {
	if err := tx.bucket(bucketRemoteIDs).Delete([]byte(v.ID)); err != nil {
		return err
	}
	if b := tx.bucket(bucketRemoteUUIDs); string(b.Get([]byte(v.UUID))) == keyText(v.Number) {
		if err := b.Delete([]byte(v.UUID)); err != nil {
			return err
		}
	}
	for _, h := range tx.hangsOn(v) {
		if err := tx.unhang(h.actor, h.kind, keyText(v.Number)); err != nil {
			return err
		}
	}
	return nil
}

type hanging struct {
	actor string
	kind  byte
}

func (*Tx) hangsOn(v *RemoteVideo) []hanging {
	all := []hanging{{v.Account, byAccount}, {v.Channel, byChannel}}
	for _, s := range v.Sources {
		all = append(all, hanging{s, bySource})
	}
	return all
}

// mostlyAppended is how full the pages of a bucket are made whose keys only grow.
const mostlyAppended = 0.95

// storeRemote writes the record itself and its line of the list.
func (tx *Tx) storeRemote(v *RemoteVideo) error {
	if err := tx.claim(v); err != nil {
		return err
	}
	raw, err := tx.s.encodeRemote(v)
	if err != nil {
		return err
	}
	l := lineOf(v)
	for _, r := range []struct{ bucket, record []byte }{{bucketRemote, raw}, {bucketLines, l.encode()}} {
		b := tx.bucket(r.bucket)
		b.FillPercent = mostlyAppended
		if err := b.Put(key(v.Number), r.record); err != nil {
			return err
		}
	}
	tx.list = append(tx.list, func(x *listIndex) { x.put(l) })
	return nil
}

// UpdateRemoteVideo changes a stored remote video: change gets a copy. It returns ErrNotFound where
// there is none.
func (tx *Tx) UpdateRemoteVideo(id string, change func(*RemoteVideo) error) error {
	v, ok, err := tx.RemoteVideo(id)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNotFound
	}
	if err := change(v); err != nil {
		return err
	}
	return tx.PutRemoteVideo(v)
}

// AddSource notes that an actor brought a video. It returns ErrNotFound where there is no such video.
func (tx *Tx) AddSource(id, actor string) error {
	if err := checkID(actor); err != nil {
		return err
	}
	v, ok, err := tx.RemoteVideo(id)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNotFound
	case slices.Contains(v.Sources, actor):
		return nil
	}
	v.Sources = append(v.Sources, actor)
	if err := tx.hang(actor, bySource, keyText(v.Number)); err != nil {
		return err
	}
	return tx.storeRemote(v)
}

// RemoveSource takes back that an actor brought a video. It is no error where it did not.
func (tx *Tx) RemoveSource(id, actor string) error {
	n := tx.bucket(bucketRemoteIDs).Get([]byte(id))
	return tx.removeSource(parseKeyText(string(n)), actor)
}

func (tx *Tx) removeSource(number uint64, actor string) error {
	v, ok, err := tx.RemoteVideoByNumber(number)
	if err != nil || !ok || !slices.Contains(v.Sources, actor) {
		return err
	}
	v.Sources = slices.DeleteFunc(v.Sources, func(s string) bool { return s == actor })
	if err := tx.unhang(actor, bySource, keyText(number)); err != nil {
		return err
	}
	return tx.storeRemote(v)
}

// DeleteRemoteVideo deletes a remote video with its comments, rates and shares, and leaves a
// tombstone, also where the video was not known.
func (tx *Tx) DeleteRemoteVideo(id string, at time.Time) error {
	if err := tx.Tombstone(id, at); err != nil {
		return err
	}
	n := tx.bucket(bucketRemoteIDs).Get([]byte(id))
	return tx.deleteRemote(parseKeyText(string(n)))
}

// deleteRemote deletes a remote video without a tombstone.
func (tx *Tx) deleteRemote(number uint64) error {
	v, ok, err := tx.RemoteVideoByNumber(number)
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexRemote(v); err != nil {
		return err
	}
	if err := tx.deleteTalk(v.ID); err != nil {
		return err
	}
	for _, bucket := range [][]byte{bucketRemote, bucketLines} {
		if err := tx.bucket(bucket).Delete(key(number)); err != nil {
			return err
		}
	}
	tx.list = append(tx.list, func(x *listIndex) { x.delete(number) })
	return tx.touch(number)
}

// deleteTalk deletes a video's comments, rates, shares and counts.
func (tx *Tx) deleteTalk(video string) error {
	comments, err := tx.commentIDs(video)
	if err != nil {
		return err
	}
	for _, id := range comments {
		if err := tx.eraseComment(id); err != nil {
			return err
		}
	}
	for _, of := range []struct {
		bucket []byte
		kind   byte
	}{{bucketRates, byRate}, {bucketShares, byShare}} {
		actors, err := tx.keysOf(of.bucket, pair(video, ""))
		if err != nil {
			return err
		}
		for _, actor := range actors {
			if err := tx.unhang(actor, of.kind, video); err != nil {
				return err
			}
			if err := tx.bucket(of.bucket).Delete(pair(video, actor)); err != nil {
				return err
			}
		}
	}
	return tx.bucket(bucketCounts).Delete([]byte(video))
}

// touch notes that a video changed, for the search index.
func (tx *Tx) touch(number uint64) error {
	b := tx.bucket(bucketTouched)
	seq, err := b.NextSequence()
	if err != nil {
		return err
	}
	tx.touches = true
	last := tx.bucket(bucketTouchedAt)
	if old := last.Get(key(number)); old != nil {
		if err := b.Delete(old); err != nil {
			return err
		}
	}
	if err := last.Put(key(number), key(seq)); err != nil {
		return err
	}
	return b.Put(key(seq), key(number))
}

// touchVideosOf notes that the videos of an actor changed, whose name is searched.
func (tx *Tx) touchVideosOf(actor string) error {
	for _, kind := range []byte{byAccount, byChannel} {
		numbers, err := tx.keysOf(bucketBy, byKey(actor, kind, ""))
		if err != nil {
			return err
		}
		for _, n := range numbers {
			if err := tx.touch(parseKeyText(n)); err != nil {
				return err
			}
		}
	}
	return nil
}
