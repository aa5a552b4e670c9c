// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
	"go.etcd.io/bbolt"

	"shoal/peer"
)

func open(t *testing.T, path string) *Library {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func entry(infohash string, added int64) Entry {
	return Entry{Infohash: infohash, Name: "video " + infohash, Magnet: "magnet:?xt=urn:btih:" + infohash, Added: time.Unix(added, 0).UTC()}
}

func TestEntriesSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "library.db")
	l := open(t, path)
	b, a := entry(strings.Repeat("b", 40), 1), entry(strings.Repeat("a", 40), 2)
	a.Torrent, a.Uploaded, a.Paused = []byte("torrent"), peer.Bytes{WebRTC: 7}, true
	if err := l.Put(a, b); err != nil {
		t.Fatal(err)
	}
	// Figures are saved without the torrent, which stays.
	figures := a
	figures.Torrent, figures.Uploaded.WebRTC = nil, 9
	if err := l.Put(figures); err != nil {
		t.Fatal(err)
	}
	a.Uploaded.WebRTC = 9
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	list, err := l.List()
	if err != nil {
		t.Fatal(err)
	}
	if want := []Entry{b, a}; !reflect.DeepEqual(list, want) {
		t.Fatalf("list is %+v, want %+v", list, want)
	}
	if err := l.Delete(a.Infohash); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Get(a.Infohash); !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	if got, err := l.Get(b.Infohash); err != nil || !reflect.DeepEqual(got, b) {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestPutIsAllOrNothing(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "library.db"))
	if err := l.Put(entry(strings.Repeat("a", 40), 1), Entry{}); err == nil {
		t.Fatal("an entry without infohash was taken")
	}
	if list, err := l.List(); err != nil || len(list) != 0 {
		t.Fatalf("list is %v, %v", list, err)
	}
}

func TestOneBrokenEntryDoesNotHideTheOthers(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "library.db"))
	if err := l.Put(entry(strings.Repeat("a", 40), 1)); err != nil {
		t.Fatal(err)
	}
	err := l.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketEntries).Put([]byte("broken"), []byte("{")) })
	if err != nil {
		t.Fatal(err)
	}
	list, err := l.List()
	if len(list) != 1 || err == nil || !strings.Contains(err.Error(), "broken") {
		t.Fatalf("list is %v, %v", list, err)
	}
}

func TestWhatCannotBeOpenedIsExplained(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	l := open(t, newer)
	err := l.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyVersion, binary.BigEndian.AppendUint64(nil, version+1))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(newer); err == nil || !strings.Contains(err.Error(), "in use by another Shoal") {
		t.Fatalf("got %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(newer); err == nil || !strings.Contains(err.Error(), "newer Shoal") {
		t.Fatalf("got %v", err)
	}
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("no database"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(garbage); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Fatalf("got %v", err)
	}
}

// TestAnOlderLibraryLosesNothingThatAPersonWanted is for libraries of before entries told whether they were
// asked for and when they were watched.
func TestAnOlderLibraryLosesNothingThatAPersonWanted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "older.db")
	l := open(t, path)
	record := func(name, more string) string {
		infohash := strings.Repeat(name, 40)
		return `{"infohash":"` + infohash + `","name":"` + name + `","magnet":"magnet:?xt=urn:btih:` + infohash + `","added":"2026-05-01T00:00:00Z"` + more + `}`
	}
	records := map[string]string{
		"a": record("a", `,"want":true,"uploaded":{"tcp":7}`), "b": record("b", ""), "c": record("c", `,"want":true,"support":"one","video":"v"`),
		"d": record("d", `,"lastWatched":"2026-05-03T00:00:00Z","want":true`), "e": "{",
	}
	err := l.db.Update(func(tx *bbolt.Tx) error {
		for name, r := range records {
			if err := tx.Bucket(bucketEntries).Put([]byte(strings.Repeat(name, 40)), []byte(r)); err != nil {
				return err
			}
		}
		return errors.Join(
			tx.Bucket(bucketTorrents).Put([]byte(strings.Repeat("a", 40)), []byte("torrent")),
			tx.DeleteBucket(bucketSupports), tx.DeleteBucket(bucketCatalogs),
			tx.Bucket(bucketMeta).Put(keyVersion, binary.BigEndian.AppendUint64(nil, 1)),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	get := func(name string) Entry {
		e, err := l.Get(strings.Repeat(name, 40))
		if err != nil {
			t.Fatal(name, err)
		}
		return e
	}
	if e := get("a"); !e.Asked || !e.Wanted() || !e.LastWatched.IsZero() || e.Uploaded.TCP != 7 || string(e.Torrent) != "torrent" {
		t.Errorf("co-seeded: %+v", e)
	}
	if e := get("b"); e.Asked || !e.Wanted() || !e.LastWatched.Equal(e.Added) {
		t.Errorf("watched: %+v", e)
	}
	if e := get("c"); e.Wanted() {
		t.Errorf("of a support: %+v", e)
	}
	if e := get("d"); e.Asked || e.LastWatched.Day() != 3 {
		t.Errorf("known to be watched: %+v", e)
	}
	if _, err := l.Get(strings.Repeat("e", 40)); err == nil {
		t.Error("what is damaged can be read")
	}
	// It happens once.
	e := get("b")
	e.LastWatched = time.Time{}
	if err := l.Put(e); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	if e := get("b"); e.Wanted() {
		t.Errorf("with the next start: %+v", e)
	}
}

func engine(t *testing.T, dir string) *peer.Engine {
	t.Helper()
	e, err := peer.New(peer.Config{
		Dir: dir, PiecesDB: filepath.Join(dir, "pieces.db"), ListenHost: "127.0.0.1", Sources: peer.Sources{peer.SourceTCP},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestResumeTakesUpEverySwarmAsItWas(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clip.mp4")
	data := make([]byte, 300<<10)
	_, _ = rand.Read(data)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	info := metainfo.Info{PieceLength: 64 << 10}
	if err := info.BuildFromFilePath(file); err != nil {
		t.Fatal(err)
	}
	var mi metainfo.MetaInfo
	var err error
	if mi.InfoBytes, err = bencode.Marshal(info); err != nil {
		t.Fatal(err)
	}
	var torrent bytes.Buffer
	if err := mi.Write(&torrent); err != nil {
		t.Fatal(err)
	}

	l := open(t, filepath.Join(dir, "library.db"))
	held := entry(mi.HashInfoBytes().HexString(), 1)
	held.Torrent, held.Path, held.Uploaded = torrent.Bytes(), file, peer.Bytes{TCP: 5}
	paused := entry(strings.Repeat("a", 40), 2)
	paused.Paused = true
	broken := entry(strings.Repeat("b", 40), 3)
	broken.Magnet = "magnet:?dn=nothing"
	if err := l.Put(held, paused, broken); err != nil {
		t.Fatal(err)
	}
	e := engine(t, dir)
	if err := l.Resume(context.Background(), e); err == nil || !strings.Contains(err.Error(), broken.Name) {
		t.Fatalf("got %v", err)
	}
	if n := len(e.Swarms()); n != 2 {
		t.Fatalf("%d swarms", n)
	}
	swarm, ok := e.Swarm(metainfo.NewHashFromHex(held.Infohash))
	if !ok {
		t.Fatal("the seeded file is not held")
	}
	if err := swarm.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := swarm.Stats(); !s.Complete || s.Uploaded.TCP != 5 {
		t.Fatalf("figures are %+v", s)
	}
	if swarm, ok := e.Swarm(metainfo.NewHashFromHex(paused.Infohash)); !ok || !swarm.Paused() {
		t.Fatal("the paused swarm is not held paused")
	}
}
