// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

var now = time.Date(2026, 11, 22, 15, 25, 47, 388_000_000, time.UTC)

func openTest(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := open(dir, migrations(), testKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// oneKey makes the key that all actors of the tests share: making many takes long.
var oneKey = sync.OnceValues(newKey)

func testKey() func() ([]byte, error) { return oneKey }

func sample(s *Store) Video {
	c, _ := s.Snapshot().Channel(NameChannel)
	return Video{
		UUID: "4e1f2f28-1822-4544-bf7c-52e111041379", ChannelID: c.ID, Title: "Sample", Tags: []string{"one"}, Privacy: Public,
		Duration: 12.5, Thumbnail: "t.jpg", Preview: "p.jpg", Created: now, Updated: now, Published: now,
		Files: []File{{
			Name: "f-480.mp4", Resolution: 480, Width: 640, Height: 480, FPS: 25, Size: 7, ModTime: now, VideoCodec: "h264",
			MediaType: "video/mp4", Torrent: Torrent{Infohash: Hash{1}, File: "t-480.torrent"},
		}},
	}
}

func TestEverythingSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	if err := s.EnsureRoot(now); err != nil {
		t.Fatal(err)
	}
	if err := s.SetSetting(SettingURL, "https://a.example"); err != nil {
		t.Fatal(err)
	}
	if err := s.PutDraft(Draft{UUID: "d1", Paths: []string{"media/x"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutDraft(Draft{UUID: "d2"}); err != nil {
		t.Fatal(err)
	}
	want, err := s.Publish("d2", sample(s))
	if err != nil {
		t.Fatal(err)
	}
	if want.ID != 1 || want.Files[0].ID != 1 || !want.Listed() {
		t.Errorf("published %+v", want)
	}
	if err := s.AddViews(map[uint64]int64{1: 3, 99: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openTest(t, dir)
	if err := s.EnsureRoot(now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	snap := s.Snapshot()
	got, ok := snap.VideoByUUID(want.UUID)
	if !ok || got.Views != 3 {
		t.Fatalf("got %+v", got)
	}
	got.Views = 0
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	a, _ := snap.Account(NameRoot)
	c, _ := snap.Channel(NameChannel)
	if a == nil || c == nil || c.AccountID != a.ID || !a.Created.Equal(now) {
		t.Errorf("account %+v, channel %+v", a, c)
	}
	if snap.Setting(SettingURL) != "https://a.example" {
		t.Error("the setting is lost")
	}
	drafts, err := s.Drafts()
	if err != nil || len(drafts) != 1 || drafts[0].UUID != "d1" {
		t.Errorf("drafts %+v, %v", drafts, err)
	}
}

func TestNamesAreSharedAndUnique(t *testing.T) {
	s := openTest(t, t.TempDir())
	if err := s.EnsureRoot(now); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{NameRoot, NameChannel, NameInstance, ""} {
		if _, err := s.AddAccount(Account{Name: name}, now); !errors.Is(err, ErrTaken) {
			t.Errorf("account %q: %v", name, err)
		}
		if _, err := s.AddChannel(Channel{Name: name, AccountID: 1}, now); !errors.Is(err, ErrTaken) {
			t.Errorf("channel %q: %v", name, err)
		}
	}
	if _, err := s.AddChannel(Channel{Name: "other", AccountID: 7}, now); !errors.Is(err, ErrNotFound) {
		t.Errorf("channel of nobody: %v", err)
	}
}

func TestRenameKeepsOldInfohashes(t *testing.T) {
	s := openTest(t, t.TempDir())
	if err := s.EnsureRoot(now); err != nil {
		t.Fatal(err)
	}
	v, err := s.Publish("", sample(s))
	if err != nil {
		t.Fatal(err)
	}
	for i, title := range []string{"Second", "Third", "Second"} {
		n := byte(2 + i)
		if i == 2 {
			n = 2
		}
		if err := s.Rename(v.ID, title, []Torrent{{Hash{n}, string(rune('a'+n)) + ".torrent"}}, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	snap := s.Snapshot()
	for n := byte(1); n <= 3; n++ {
		r, ok := snap.ByInfohash(Hash{n})
		if !ok || r.Video.Title != "Second" || r.Torrent.Infohash != (Hash{n}) {
			t.Errorf("infohash %d: %+v, %v", n, r, ok)
		}
		if _, ok := snap.ByTorrent(r.Torrent.File); !ok {
			t.Errorf("torrent %s is unknown", r.Torrent.File)
		}
	}
	got, _ := snap.Video(v.ID)
	if got.Files[0].Infohash != (Hash{2}) || len(got.Files[0].Old) != 2 {
		t.Errorf("got %+v", got.Files[0])
	}
	if v.Title != "Sample" {
		t.Error("a snapshot changed under its reader")
	}
}

func TestOlderVersionMigrates(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	if err := s.EnsureRoot(now); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ran := 0
	newer := append(migrations(), func(tx *bolt.Tx) error {
		ran++
		return tx.Bucket(bucketSettings).Put([]byte("new"), []byte("yes"))
	})
	for range 2 { // the second time there is nothing to do
		s, err := open(dir, newer, testKey())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Snapshot().Account(NameRoot); !ok || s.Snapshot().Setting("new") != "yes" {
			t.Error("the migrated database lacks something")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if ran != 1 {
		t.Errorf("the step ran %d times", ran)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "written by a newer Shoal") {
		t.Errorf("the older program says %v", err)
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := openTest(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	failing := append(migrations(), func(tx *bolt.Tx) error {
		return tx.Bucket(bucketSettings).Put([]byte("half"), []byte("done"))
	}, func(*bolt.Tx) error { return errors.New("broken") })
	if _, err := open(dir, failing, testKey()); err == nil || !strings.Contains(err.Error(), "to version 6: broken") {
		t.Errorf("got %v", err)
	}
	if openTest(t, dir).Snapshot().Setting("half") != "" {
		t.Error("half a migration stayed")
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "in use by another Shoal") {
		t.Errorf("a folder in use: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file: %v", err)
	}
	for cause, want := range map[error]string{
		&fs.PathError{Op: "open", Err: syscall.EACCES}: "cannot be written to",
		&fs.PathError{Op: "open", Err: syscall.EROFS}:  "cannot be written to",
		&fs.PathError{Op: "open", Err: syscall.ENOSPC}: "is full",
	} {
		if got := explain("/d/instance.db", cause).Error(); !strings.Contains(got, want) {
			t.Errorf("%v: %s", cause, got)
		}
	}
}

// FuzzHash checks that an infohash that reads is written the same, in lower case.
func FuzzHash(f *testing.F) {
	f.Add(`"e99a81786e8c6513a4e3fdd3d947f86a871ade06"`)
	f.Fuzz(func(t *testing.T, text string) {
		var h, again Hash
		if json.Unmarshal([]byte(text), &h) != nil {
			return
		}
		b, err := json.Marshal(h)
		if err != nil || json.Unmarshal(b, &again) != nil || again != h {
			t.Fatalf("%q: %s, %v", text, b, err)
		}
	})
}
