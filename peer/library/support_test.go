// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"encoding/binary"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"shoal/peer"
)

func TestSupportsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "library.db")
	l := open(t, path)
	s := Support{
		ID: "one", Kind: SupportChannel, Name: "cats", Instance: "https://video.example", Budget: 5, Order: OrderRarest,
		Added: noon, Uploaded: peer.Bytes{WebRTC: 3}, Refused: []string{"u"},
	}
	c := Catalog{Videos: []Video{{UUID: "u", Published: noon, Seeders: -1, Renditions: []Rendition{{Height: 480, Bytes: 9, Infohashes: []string{"x"}}}}}}
	older := Support{ID: "zero", Kind: SupportInstance, Instance: "https://other.example", Added: noon.Add(-time.Hour)}
	for _, one := range []Support{s, older} {
		if err := l.PutSupport(one); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.PutCatalog(s.ID, c); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	if got, err := l.Supports(); err != nil || !reflect.DeepEqual(got, []Support{older, s}) {
		t.Errorf("supports are %+v, %v", got, err)
	}
	if got, err := l.Catalog(s.ID); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("the catalog is %+v, %v", got, err)
	}
	if err := l.DeleteSupport(s.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Catalog(s.ID); err != nil || len(got.Videos) != 0 {
		t.Errorf("after deleting, the catalog is %+v, %v", got, err)
	}
	if got, err := l.Supports(); err != nil || len(got) != 1 {
		t.Errorf("after deleting, supports are %+v, %v", got, err)
	}
	if err := l.PutSupport(Support{}); err == nil {
		t.Error("a support without an id was taken")
	}
}

// A library of version 1 has neither supports nor what sharing goes by.
func TestALibraryOfVersion1IsTakenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "library.db")
	infohash := strings.Repeat("a", 40)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for bucket, kv := range map[string][2]string{
			"meta":     {"version", string(binary.BigEndian.AppendUint64(nil, 1))},
			"entries":  {infohash, `{"infohash":"` + infohash + `","name":"Old","added":"2026-01-02T03:04:05Z","paused":true,"want":false,"uploaded":{"webrtc":7,"tcp":0,"utp":0,"webseed":0},"downloaded":{"webrtc":0,"tcp":0,"utp":0,"webseed":9},"bytes":9,"complete":true}`},
			"torrents": {infohash, "torrent"},
		} {
			b, err := tx.CreateBucket([]byte(bucket))
			if err != nil {
				return err
			}
			if err := b.Put([]byte(kv[0]), []byte(kv[1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l := open(t, path)
	want := Entry{
		Infohash: infohash, Name: "Old", Torrent: []byte("torrent"), Added: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Paused: true, Uploaded: peer.Bytes{WebRTC: 7}, Downloaded: peer.Bytes{WebSeed: 9}, Bytes: 9, Complete: true,
	}
	want.LastWatched = want.Added
	if list, err := l.List(); err != nil || !reflect.DeepEqual(list, []Entry{want}) {
		t.Errorf("entries are %+v, %v", list, err)
	}
	if list, err := l.Supports(); err != nil || len(list) != 0 {
		t.Errorf("supports are %+v, %v", list, err)
	}
	if err := l.PutSupport(Support{ID: "x"}); err != nil {
		t.Error(err)
	}
}
