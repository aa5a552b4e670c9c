// SPDX-License-Identifier: AGPL-3.0-or-later

package thumbs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"shoal/instance/store"
)

// Dir is the pictures' folder in the data directory. It may be deleted at any time.
const Dir = "remote-thumbnails"

// Bounds.
const (
	// MaxBytes is how large one picture may be.
	MaxBytes = 4 << 20
	// maxFiles and maxTotal bound what is kept.
	maxFiles = 20_000
	maxTotal = 1 << 30
	// maxFetches is how many pictures are fetched at once.
	maxFetches = 8
	// fetchTime is how long one may take, with its wait for the others.
	fetchTime = 20 * time.Second
	// badFor is how long a picture that failed is not tried again.
	badFor = 10 * time.Minute
	maxBad = 10_000
)

// Config is what a Cache needs.
type Config struct {
	// Dir is the data directory.
	Dir   string
	Store *store.Store
	// Fetch gets a URL of another instance, at most maxBytes of it. It guards against private addresses.
	Fetch  func(ctx context.Context, url string, maxBytes int64) ([]byte, error)
	Logger *slog.Logger
	Now    func() time.Time
}

// Cache is the pictures on disk. Its methods are safe for concurrent use.
type Cache struct {
	cfg    Config
	dir    string
	slots  chan struct{}
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	flights map[string]*flight
	bad     map[string]time.Time
	files   map[string]*file
	total   int64
}

type file struct {
	size int64
	used time.Time
}

// flight is a picture that is being fetched for everyone who asks.
type flight struct {
	done chan struct{}
	err  error
}

// New opens the cache, with what is on disk already and still wanted. Close ends it.
func New(cfg Config) (*Cache, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Cache{
		cfg: cfg, dir: filepath.Join(cfg.Dir, Dir), slots: make(chan struct{}, maxFetches),
		flights: map[string]*flight{}, bad: map[string]time.Time{}, files: map[string]*file{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of thumbnails: %w", err)
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of thumbnails: %w", err)
	}
	for _, e := range entries {
		if err := c.take(e); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// take takes up a file from an earlier run, or deletes what was not written to its end and the
// pictures of videos that are gone.
func (c *Cache) take(e fs.DirEntry) error {
	uuid, ok := uuidOf(e.Name())
	if !ok {
		if filepath.Ext(e.Name()) == partExt {
			c.remove(e.Name())
		}
		return nil
	}
	fi, err := e.Info()
	if err != nil || !fi.Mode().IsRegular() {
		return nil //nolint:nilerr // gone meanwhile
	}
	err = c.cfg.Store.Read(func(tx *store.Tx) (err error) {
		_, ok, err = tx.RemoteVideoByUUID(uuid)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("taking up thumbnails: %w", err)
	case !ok:
		c.remove(e.Name())
	default:
		c.files[e.Name()] = &file{fi.Size(), fi.ModTime()}
		c.total += fi.Size()
	}
	return nil
}

// Close ends what is being fetched and waits for it.
func (c *Cache) Close() {
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	c.work.Wait()
}

var (
	errNone    = errors.New("there is no such picture")
	errNoImage = errors.New("that is no picture")
)

// Find returns the path and media type of the picture with a name, fetching it where it is not here
// yet. It reports false where there is none, or none to be had now.
func (c *Cache) Find(ctx context.Context, kind Kind, name string) (path, mediaType string, ok bool) {
	v, err := c.video(kind, name)
	if err != nil {
		return "", "", false
	}
	if err := c.bring(ctx, name, kind.url(v)); err != nil {
		if !errors.Is(err, errNone) {
			c.cfg.Logger.Debug("a picture of a remote video cannot be had", "url", kind.url(v), "error", err)
		}
		return "", "", false
	}
	path = filepath.Join(c.dir, name)
	mediaType, err = typeOf(path)
	if err != nil {
		c.forget(name)
		return "", "", false
	}
	return path, mediaType, true
}

// video finds the video that a name is of; the name must be its picture's of now.
func (c *Cache) video(kind Kind, name string) (v *store.RemoteVideo, err error) {
	uuid, ok := uuidOf(name)
	if !ok {
		return nil, errNone
	}
	err = c.cfg.Store.Read(func(tx *store.Tx) (err error) {
		v, ok, err = tx.RemoteVideoByUUID(uuid)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !ok, Name(v, kind) != name, v.Privacy != store.Public && v.Privacy != store.Unlisted, c.cfg.Store.Blocked(v.Host):
		return nil, errNone
	}
	return v, nil
}

// bring makes sure that a picture is on disk.
func (c *Cache) bring(ctx context.Context, name, url string) error {
	now := c.cfg.Now()
	c.mu.Lock()
	if f, ok := c.files[name]; ok {
		f.used = now
		c.mu.Unlock()
		return nil
	}
	if at, ok := c.bad[name]; ok && now.Sub(at) < badFor {
		c.mu.Unlock()
		return errNone
	}
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		return errNone
	}
	fl, ok := c.flights[name]
	if !ok {
		fl = &flight{done: make(chan struct{})}
		c.flights[name] = fl
		c.work.Go(func() { c.fetch(fl, name, url) }) // not the asker's alone: others may wait for it too
	}
	c.mu.Unlock()
	select {
	case <-fl.done:
		return fl.err
	case <-ctx.Done():
		return fmt.Errorf("waiting for a picture: %w", ctx.Err())
	}
}

func (c *Cache) fetch(fl *flight, name, url string) {
	ctx, cancel := context.WithTimeout(c.ctx, fetchTime)
	defer cancel()
	size, err := c.get(ctx, name, url)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, name)
	if err == nil {
		c.files[name] = &file{size, c.cfg.Now()}
		c.total += size
		c.shrink()
	} else {
		if len(c.bad) >= maxBad {
			clear(c.bad)
		}
		c.bad[name] = c.cfg.Now()
	}
	fl.err = err
	close(fl.done)
}

// partExt marks a file that is being written.
const partExt = ".part"

// get fetches a picture and puts it on disk.
func (c *Cache) get(ctx context.Context, name, url string) (int64, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return 0, fmt.Errorf("waiting for other pictures: %w", ctx.Err())
	}
	b, err := c.cfg.Fetch(ctx, url, MaxBytes)
	if err != nil {
		return 0, fmt.Errorf("fetching a picture: %w", err)
	}
	if len(b) > MaxBytes || imageType(b) == "" {
		return 0, errNoImage
	}
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path+partExt, b, 0o600); err != nil {
		return 0, errors.Join(fmt.Errorf("storing a picture: %w", err), os.Remove(path+partExt))
	}
	if err := os.Rename(path+partExt, path); err != nil {
		return 0, fmt.Errorf("storing a picture: %w", err)
	}
	return int64(len(b)), nil
}

// imageType is the media type of a picture by its first bytes; empty for what browsers might run
// and for what is no picture.
func imageType(b []byte) string {
	switch t := http.DetectContentType(b); t {
	case "image/jpeg", "image/png", "image/webp", "image/gif":
		return t
	}
	return ""
}

func typeOf(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the name was checked
	if err != nil {
		return "", err
	}
	head := make([]byte, 512)
	n, err := f.Read(head)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if t := imageType(head[:n]); t != "" {
		return t, nil
	}
	return "", errNoImage
}

// shrink throws out the longest unused pictures where there are too many. c.mu is held.
func (c *Cache) shrink() {
	if len(c.files) <= maxFiles && c.total <= maxTotal {
		return
	}
	names := make([]string, 0, len(c.files))
	for name := range c.files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return c.files[a].used.Compare(c.files[b].used) })
	for _, name := range names {
		if len(c.files) <= maxFiles*9/10 && c.total <= maxTotal/10*9 {
			return
		}
		c.drop(name)
	}
}

func (c *Cache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.files[name]; ok {
		c.drop(name)
	}
}

// drop deletes a picture. c.mu is held.
func (c *Cache) drop(name string) {
	c.total -= c.files[name].size
	delete(c.files, name)
	c.remove(name)
}

func (c *Cache) remove(name string) {
	if err := os.Remove(filepath.Join(c.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.cfg.Logger.Warn("a picture cannot be deleted", "name", name, "error", err)
	}
}
