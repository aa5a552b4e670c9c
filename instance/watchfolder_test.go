// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shoal/instance/store"
)

// watchTest is a watcher whose time is the test's and whose publications are noted.
type watchTest struct {
	*watcher
	t      *testing.T
	folder string
	now    time.Time

	mu        sync.Mutex
	published []string
	fail      error
}

func newWatchTest(t *testing.T, db *store.Store) *watchTest {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &watchTest{t: t, folder: folder, now: time.Unix(2e9, 0)}
	w.watcher = &watcher{
		store: db, ready: func(string) error { return nil }, logger: slog.New(slog.DiscardHandler), settled: 10 * time.Second,
		changed: make(chan struct{}, 1), publish: w.note,
	}
	w.set(w.folder, "")
	return w
}

// note stands for Publish: it remembers what it published, as the store does.
func (w *watchTest) note(_ context.Context, r PublishRequest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published = append(w.published, r.Title)
	if w.fail != nil {
		return w.fail
	}
	fi, err := os.Stat(r.File)
	if err != nil {
		return err
	}
	return w.store.PutSource(store.Source{Path: r.File, Size: fi.Size(), ModTime: fi.ModTime(), UUID: "uuid"})
}

func (w *watchTest) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// later looks after some time, and until what that began has ended.
func (w *watchTest) later(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	w.look(w.t.Context(), w.now)
	w.work.Wait()
}

func (w *watchTest) want(titles ...string) {
	w.t.Helper()
	slices.Sort(w.published)
	if !slices.Equal(w.published, titles) {
		w.t.Errorf("published %q, want %q", w.published, titles)
	}
}

func openStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestWatchFolderPublishesFinishedFilesOnce(t *testing.T) {
	dir := t.TempDir()
	db := openStore(t, dir)
	w := newWatchTest(t, db)
	w.write("first_talk.mp4", "1")
	for _, name := range []string{".hidden.mp4", "notes.txt", "half.mp4.part", "empty.mp4"} {
		w.write(name, strings.Repeat("x", len(name)%10))
	}
	if err := errors.Join(os.Truncate(filepath.Join(w.folder, "empty.mp4"), 0), os.Mkdir(filepath.Join(w.folder, "folder.mp4"), 0o700)); err != nil {
		t.Fatal(err)
	}
	w.later(0)
	w.later(9 * time.Second)
	w.want() // it might be growing
	w.write("first_talk.mp4", "12")
	w.later(9 * time.Second)
	w.later(9 * time.Second)
	w.want() // it was
	w.later(time.Second)
	w.want("first talk")
	for range 3 {
		w.later(time.Hour)
	}
	w.want("first talk")

	// Another start, and a copy with another time, are no reason to publish it again.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := newWatchTest(t, openStore(t, dir))
	again.set(w.folder, "")
	if err := os.Chtimes(filepath.Join(w.folder, "first_talk.mp4"), time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again.later(time.Hour)
	}
	again.want()
}

func TestWatchFolderTellsFailuresOnce(t *testing.T) {
	w := newWatchTest(t, openStore(t, t.TempDir()))
	w.fail = errors.New("it is no video: choose another")
	path := w.write("broken.mp4", "x")
	for range 4 {
		w.later(time.Minute)
	}
	w.want("broken")
	if f := w.state.Failures; len(f) != 1 || f[0].File != path || f[0].Text != w.fail.Error() {
		t.Errorf("failures %v", f)
	}
	w.fail = nil
	if err := os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.later(time.Minute)
	}
	w.want("broken", "broken")
	if f := w.state.Failures; len(f) != 0 {
		t.Errorf("failures %v", f)
	}
}

func TestWatchFolderThatIsNoUse(t *testing.T) {
	w := newWatchTest(t, openStore(t, t.TempDir()))
	own := t.TempDir()
	w.not = []string{own}
	file := w.write("a file.mp4", "x")
	for folder, want := range map[string]string{
		own: "Shoal itself keeps videos", filepath.Join(w.folder, "gone"): "cannot be read", file: "is no folder",
	} {
		w.set(folder, "")
		for range 3 {
			w.later(time.Minute)
		}
		if !strings.Contains(w.state.Problem, want) {
			t.Errorf("%s: %q, want %q", folder, w.state.Problem, want)
		}
	}
	w.want()
	w.ready = func(channel string) error { return errors.New("there is no channel " + channel) }
	w.set(w.folder, "gone")
	w.later(0)
	w.later(time.Minute)
	if w.state.Problem != "there is no channel gone" || len(w.published) != 0 {
		t.Errorf("problem %q, published %q", w.state.Problem, w.published)
	}
	w.ready = func(string) error { return nil }
	w.later(time.Minute)
	w.later(time.Minute)
	if w.want("a file"); w.state.Problem != "" {
		t.Errorf("problem %q", w.state.Problem)
	}
	w.set("", "")
	if w.later(time.Minute); w.state.Folder != "" || w.state.Problem != "" {
		t.Errorf("switched off: %+v", w.state)
	}
}
