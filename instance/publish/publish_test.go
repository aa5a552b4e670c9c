// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func TestSharingMakesNoSecondCopy(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, []byte("payload"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !share(from, to) {
		t.Fatal("the disk shares nothing")
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "payload" {
		t.Errorf("%q, %v", b, err)
	}
	if share(from, to) {
		t.Error("it took the place of a file")
	}
}

// testJob is a job of a file with data, as Publish makes it.
func testJob(t *testing.T, data []byte) (j *job, from, to string) {
	t.Helper()
	dir := t.TempDir()
	from, to = filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return &job{hold: context.Context.Err}, from, to
}

func TestCopyIsHashedInTheSamePass(t *testing.T) {
	data := random(3<<20 + 5)
	j, from, to := testJob(t, data)
	size := int64(len(data))
	var last int64
	var stages []string
	sums, err := j.hash(t.Context(), from, to, func(stage string, done, total int64) {
		if len(stages) == 0 || stages[len(stages)-1] != stage {
			stages, last = append(stages, stage), 0
		}
		if done < last || done > total || total != size {
			t.Errorf("%s: %d of %d after %d", stage, done, total, last)
		}
		last = done
	})
	if err != nil || last != size || !slices.Equal(stages, []string{StageCopy, StageHash}) {
		t.Fatalf("%v, stages %v, progress %d", err, stages, last)
	}
	want, err := Pieces(t.Context(), bytes.NewReader(data), size, PieceLength(size), nil)
	if err != nil || !bytes.Equal(sums, want) {
		t.Errorf("other pieces: %v", err)
	}
	if b, err := os.ReadFile(to); err != nil || !bytes.Equal(b, data) {
		t.Errorf("the copy has %d bytes, %v", len(b), err)
	}
}

func TestCopyThatFailsLeavesNothing(t *testing.T) {
	for what, spoil := range map[string]func(cancel context.CancelFunc, from string) error{
		"cancelled": func(cancel context.CancelFunc, _ string) error { cancel(); return nil },
		"cut":       func(_ context.CancelFunc, from string) error { return os.Truncate(from, 1) },
	} {
		j, from, to := testJob(t, random(3<<20))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := j.hash(ctx, from, to, func(_ string, done, _ int64) {
			if done > 0 {
				if err := spoil(cancel, from); err != nil {
					t.Error(err)
				}
			}
		})
		if err == nil || (what == "cancelled" && !errors.Is(err, context.Canceled)) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the copy is left: %v", what, err)
		}
	}
}

func TestFileThatChangesIsRefused(t *testing.T) {
	j, from, to := testJob(t, random(3<<20))
	_, err := j.hash(t.Context(), from, to, func(_ string, done, _ int64) {
		if done > 0 {
			if err := os.Chtimes(from, time.Time{}, time.Unix(1e9, 0)); err != nil {
				t.Error(err)
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("got %v", err)
	}
}
