// SPDX-License-Identifier: AGPL-3.0-or-later

package thumbs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shoal/instance/store"
)

const png = "\x89PNG\r\n\x1a\n and more"

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func add(t *testing.T, s *store.Store, n int) *store.RemoteVideo {
	t.Helper()
	v := &store.RemoteVideo{
		UUID: fmt.Sprintf("4e1f2f28-1822-4544-bf7c-%012d", n), Host: "far.example", Privacy: store.Public,
		Thumbnail: fmt.Sprintf("https://far.example/t%d.jpg", n), Preview: fmt.Sprintf("https://far.example/p%d.jpg", n),
	}
	v.ID = "https://far.example/videos/watch/" + v.UUID
	if err := s.Write("adding", func(tx *store.Tx) error { return tx.PutRemoteVideo(v) }); err != nil {
		t.Fatal(err)
	}
	return v
}

func cache(t *testing.T, dir string, s *store.Store, fetch func(context.Context, string, int64) ([]byte, error)) *Cache {
	t.Helper()
	c, err := New(Config{Dir: dir, Store: s, Fetch: fetch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestPicturesAreFetchedOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, dir := open(t), t.TempDir()
	defer s.Close()
	v := add(t, s, 1)
	var fetched atomic.Int32
	fetch := func(_ context.Context, url string, most int64) ([]byte, error) {
		fetched.Add(1)
		if most != MaxBytes {
			t.Errorf("asked for up to %d bytes", most)
		}
		return []byte(png + url), nil
	}
	c := cache(t, dir, s, fetch)
	var all sync.WaitGroup
	for range 10 {
		for _, kind := range []Kind{Thumbnail, Preview} {
			all.Go(func() {
				path, mediaType, ok := c.Find(t.Context(), kind, Name(v, kind))
				b, err := os.ReadFile(path)
				if !ok || mediaType != "image/png" || err != nil || !strings.HasSuffix(string(b), kind.url(v)) {
					t.Errorf("%s: %q, %q, %v, %v", kind, b, mediaType, ok, err)
				}
			})
		}
	}
	all.Wait()
	c.Close()
	again := cache(t, dir, s, fetch)
	if _, _, ok := again.Find(t.Context(), Preview, Name(v, Preview)); !ok || fetched.Load() != 2 {
		t.Errorf("fetched %d times", fetched.Load())
	}
	again.Close()
}

func TestOnlyPicturesOfServedVideos(t *testing.T) {
	s, dir := open(t), t.TempDir()
	v := add(t, s, 1)
	body := png
	var fails error
	fetched := 0
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c, err := New(Config{Dir: dir, Store: s, Now: func() time.Time { return now }, Fetch: func(context.Context, string, int64) ([]byte, error) {
		fetched++
		return []byte(body), fails
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	find := func(name string) bool {
		_, _, ok := c.Find(t.Context(), Thumbnail, name)
		return ok
	}
	good := Name(v, Thumbnail)
	for _, name := range []string{"", "x.jpg", "../" + good, Name(v, Preview), strings.Replace(good, ".jpg", ".png", 1), v.UUID + "-0000000000000000.jpg"} {
		if find(name) {
			t.Errorf("found %q", name)
		}
	}
	if fetched != 0 {
		t.Errorf("fetched %d times for names of nothing", fetched)
	}
	body = "<svg onload=alert(1)>"
	for range 2 {
		if find(good) || fetched != 1 {
			t.Errorf("no picture: fetched %d times", fetched)
		}
	}
	now = now.Add(badFor)
	body, fails = png, errors.New("unreachable")
	if find(good) {
		t.Error("found what cannot be fetched")
	}
	now = now.Add(badFor)
	if fails = nil; !find(good) {
		t.Error("not tried again")
	}
	err = s.Write("blocking", func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "far.example"}) })
	if err != nil || find(good) {
		t.Error("a blocked host's picture is shown", err)
	}
	err = s.Write("unblocking", func(tx *store.Tx) error {
		return errors.Join(tx.DeleteBlock("far.example", ""), tx.DeleteRemoteVideo(v.ID, now))
	})
	if err != nil || find(good) {
		t.Error("a deleted video's picture is shown", err)
	}
	if cache(t, dir, s, nil); fileExists(filepath.Join(dir, Dir, good)) {
		t.Error("a deleted video's picture stays on disk")
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestTheLongestUnusedGoFirst(t *testing.T) {
	s, dir := open(t), t.TempDir()
	c := cache(t, dir, s, nil)
	for i := range 10 {
		name := fmt.Sprintf("%d.jpg", i)
		if err := os.WriteFile(filepath.Join(c.dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c.files[name] = &file{maxTotal / 8, time.Unix(int64(i), 0)}
		c.total += maxTotal / 8
	}
	c.files["0.jpg"].used = time.Unix(100, 0)
	c.shrink()
	if len(c.files) != 7 || c.total != maxTotal/8*7 || c.files["0.jpg"] == nil || c.files["3.jpg"] != nil || fileExists(filepath.Join(c.dir, "1.jpg")) {
		t.Errorf("kept %d files of %d bytes: %v", len(c.files), c.total, c.files)
	}
}

func FuzzName(f *testing.F) {
	f.Add("4e1f2f28-1822-4544-bf7c-000000000001-0123456789abcdef.jpg")
	f.Add("../../../../../../../../../../../etc/passwd")
	f.Fuzz(func(t *testing.T, name string) {
		uuid, ok := uuidOf(name)
		if ok && (filepath.Base(name) != name || len(uuid) != uuidLen || !strings.HasPrefix(name, uuid)) {
			t.Fatalf("%q is taken for a name", name)
		}
	})
}
