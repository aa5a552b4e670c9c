// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"shoal/instance/publish"
	"shoal/instance/store"
)

const (
	// watchEvery is how often a watch folder is looked at.
	watchEvery = 5 * time.Second
	// watchSettled is how long a file must not have changed to be taken for finished.
	watchSettled = 15 * time.Second
	// maxWatched bounds the entries of a watch folder that are looked at, maxTaken the files that are
	// published or wait for it at one time.
	maxWatched, maxTaken = 10_000, 8
)

// WatchFolder is a folder whose video files are published as they appear.
type WatchFolder struct {
	// Folder is empty where there is none. Channel is empty for the usual one.
	Folder, Channel string
	// Problem says for a person why nothing is published from it, empty where all is well.
	Problem string
	// Failures are the files that could not be published. Each is tried again once it changes.
	Failures []WatchFailure
}

// WatchFailure is a file of a watch folder that could not be published.
type WatchFailure struct {
	File string
	// Text is a sentence for a person.
	Text string
}

// watcher looks after the watch folder.
type watcher struct {
	store   *store.Store
	ready   func(channel string) error
	publish func(context.Context, PublishRequest) error
	not     []string // folders that must not be watched
	logger  *slog.Logger
	every   time.Duration
	settled time.Duration
	changed chan struct{} // of capacity 1

	mu    sync.Mutex
	state WatchFolder
	seen  map[string]glance
	taken map[string]bool
	work  sync.WaitGroup
}

// glance is how a file was when it was looked at, and since when.
type glance struct {
	size    int64
	modTime time.Time
	since   time.Time
}

// SetWatchFolder has the video files of a folder published in a channel as they appear, those in it
// already too; an empty folder ends that. Folders in it are not looked into.
func (i *Instance) SetWatchFolder(folder, channel string) { i.watcher.set(folder, channel) }

// WatchFolder is the watch folder and how it is.
func (i *Instance) WatchFolder() WatchFolder {
	w := i.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state
	s.Failures = slices.Clone(s.Failures)
	return s
}

func (i *Instance) newWatcher() *watcher {
	w := &watcher{
		store: i.store, ready: i.publisher.Ready, not: append([]string{i.path(publish.MediaDir, "")}, i.cfg.NotWatched...), logger: i.cfg.Logger,
		every: watchEvery, settled: watchSettled, changed: make(chan struct{}, 1),
		publish: func(ctx context.Context, r PublishRequest) error {
			_, err := i.Publish(ctx, r, nil)
			return err
		},
	}
	w.set(i.cfg.WatchFolder, i.cfg.WatchChannel)
	return w
}

func (w *watcher) set(folder, channel string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen != nil && w.state.Folder == folder && w.state.Channel == channel {
		return
	}
	w.state = WatchFolder{Folder: folder, Channel: channel}
	w.seen = map[string]glance{}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// serve looks at the folder until ctx ends.
func (w *watcher) serve(ctx context.Context) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		w.look(ctx, time.Now())
		select {
		case <-ctx.Done():
			w.work.Wait()
			return
		case <-tick.C:
		case <-w.changed:
		}
	}
}

// look looks at the folder once: it begins to publish what is finished and not known yet.
func (w *watcher) look(ctx context.Context, now time.Time) {
	w.mu.Lock()
	was := w.state
	w.mu.Unlock()
	if was.Folder == "" {
		return
	}
	files, err := w.list(was)
	var failures []WatchFailure
	for _, f := range files {
		if ctx.Err() != nil {
			return
		}
		failure, err := w.file(ctx, f, was.Channel, now)
		if err != nil {
			w.logger.Warn("a file of the watch folder cannot be looked at", "file", f.Path, "error", err)
		}
		if failure != "" {
			failures = append(failures, WatchFailure{f.Path, failure})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Folder != was.Folder || w.state.Channel != was.Channel {
		return // it was set anew meanwhile
	}
	w.forget(files, err)
	w.state.Failures = failures
	w.state.Problem = ""
	if err != nil {
		w.state.Problem = err.Error()
	}
	if w.state.Problem != was.Problem && err != nil {
		w.logger.Warn("nothing is published from the watch folder", "folder", was.Folder, "error", err)
	}
}

// forget drops what is known of files that are gone, where files are all there are.
func (w *watcher) forget(files []store.Source, err error) {
	if err != nil {
		return
	}
	seen := map[string]glance{}
	for _, f := range files {
		if g, ok := w.seen[f.Path]; ok {
			seen[f.Path] = g
		}
	}
	w.seen = seen
}

// list returns the folder's video files. Its errors are sentences for a person.
func (w *watcher) list(at WatchFolder) ([]store.Source, error) {
	folder, err := filepath.EvalSymlinks(at.Folder)
	if err != nil {
		return nil, fmt.Errorf("the watch folder %s cannot be read: bring it back, or choose another: %w", at.Folder, err)
	}
	d, err := os.Open(folder) //nolint:gosec // the person named it
	if err != nil {
		return nil, fmt.Errorf("the watch folder %s cannot be read: check its permissions: %w", at.Folder, err)
	}
	defer d.Close()
	fi, err := d.Stat()
	if err != nil || !fi.IsDir() {
		return nil, errors.Join(fmt.Errorf("the watch folder %s is no folder: choose one", at.Folder), err)
	}
	for _, not := range w.not {
		if other, err := os.Stat(not); err == nil && os.SameFile(fi, other) {
			return nil, fmt.Errorf("%s is where Shoal itself keeps videos, so it cannot be the watch folder: choose another", at.Folder)
		}
	}
	if err := w.ready(at.Channel); err != nil {
		return nil, err
	}
	entries, err := d.ReadDir(maxWatched)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the watch folder %s cannot be read: check the disk: %w", at.Folder, err)
	}
	var files []store.Source
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !publish.Is(e.Name()) {
			continue
		}
		path, err := filepath.EvalSymlinks(filepath.Join(folder, e.Name()))
		if err != nil {
			continue // it is gone already, or leads nowhere
		}
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && fi.Size() > 0 {
			files = append(files, store.Source{Path: path, Size: fi.Size(), ModTime: fi.ModTime().UTC()})
		}
	}
	if len(entries) == maxWatched {
		return files, fmt.Errorf("the watch folder %s holds over %d entries, and only so many are looked at: choose a smaller one", at.Folder, maxWatched)
	}
	return files, nil
}

// file begins to publish a file that is finished and not known. Of one that could not be published it
// returns why.
func (w *watcher) file(ctx context.Context, f store.Source, channel string, now time.Time) (failure string, err error) {
	known, ok, err := w.known(f)
	if err != nil || ok {
		return known.Failure, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken[f.Path] || len(w.taken) >= maxTaken {
		return "", nil
	}
	g, ok := w.seen[f.Path]
	if !ok || g.size != f.Size || !g.modTime.Equal(f.ModTime) {
		w.seen[f.Path] = glance{f.Size, f.ModTime, now}
		return "", nil
	}
	if now.Sub(g.since) < w.settled {
		return "", nil
	}
	if w.taken == nil {
		w.taken = map[string]bool{}
	}
	w.taken[f.Path] = true
	w.work.Go(func() { w.take(ctx, f, channel) })
	return "", nil
}

// known is what became of a file. One that was published is known by its size: its time may change,
// as with a restored backup. One that failed is tried again when either changes.
func (w *watcher) known(f store.Source) (known store.Source, ok bool, err error) {
	err = w.store.Read(func(tx *store.Tx) error {
		known, ok, err = tx.Source(f.Path)
		return err
	})
	if !ok || known.Size != f.Size || (known.UUID == "" && !known.ModTime.Equal(f.ModTime)) {
		return store.Source{}, false, err
	}
	return known, true, err
}

// take publishes a file. Publishing remembers it; what fails is remembered here.
func (w *watcher) take(ctx context.Context, f store.Source, channel string) {
	err := w.publish(ctx, PublishRequest{File: f.Path, Title: publish.Titled(f.Path), Channel: channel})
	if _, ok, _ := w.known(f); err != nil && !ok && ctx.Err() == nil {
		f.Failure = err.Error()
		if errors.Is(err, context.Canceled) {
			f.Failure = "its publication was cancelled"
		}
		w.logger.Warn("a file of the watch folder is not published", "file", f.Path, "error", err)
		if err := w.store.PutSource(f); err != nil {
			w.logger.Error("what became of a file cannot be stored", "file", f.Path, "error", err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.taken, f.Path)
	delete(w.seen, f.Path)
}
