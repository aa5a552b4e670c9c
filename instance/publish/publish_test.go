// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"shoal/instance/store"
)

func openStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.EnsureRoot(time.Now()); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStartDeletesUnfinishedPublications(t *testing.T) {
	dir := t.TempDir()
	db := openStore(t, dir)
	if _, err := New(Config{Dir: dir, Store: db}); err != nil {
		t.Fatal(err)
	}
	files := []string{"media/a-480.mp4.part", "torrents/a-480.torrent", "thumbnails/a.jpg", "media/other.mp4"}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(dir, outside)
	if err != nil {
		t.Fatal(err)
	}
	draft := store.Draft{UUID: "d", Paths: []string{"media/a-480.mp4", "torrents/a-480.torrent", "thumbnails/a.jpg", "previews/a.jpg", rel}}
	if err := db.PutDraft(draft); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Dir: dir, Store: db}); err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		_, err := os.Stat(filepath.Join(dir, f))
		if gone := errors.Is(err, os.ErrNotExist); gone != (i < 3) {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file outside of the data folder: %v", err)
	}
	if drafts, err := db.Drafts(); err != nil || len(drafts) != 0 {
		t.Errorf("drafts %v, %v", drafts, err)
	}
}

func TestTakeMakesNoSecondCopy(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, []byte("payload"), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := false
	if err := take(t.Context(), from, to, func(int64, int64) { copied = true }); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(to)
	if err != nil || string(b) != "payload" || copied {
		t.Errorf("%q, %v, copied: %v", b, err, copied)
	}
}

func TestCopyShowsProgressAndCleansUp(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	data := random(3<<20 + 5)
	if err := os.WriteFile(from, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var calls []int64
	if err := copyFile(t.Context(), from, to, func(done, _ int64) { calls = append(calls, done) }); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(to)
	if err != nil || string(b) != string(data) || len(calls) != 4 || calls[3] != int64(len(data)) {
		t.Errorf("%d bytes, %v, progress %v", len(b), err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = copyFile(ctx, from, to+"2", func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
