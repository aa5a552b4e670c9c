// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"shoal/instance/address"
	"shoal/instance/publish"
	"shoal/instance/store"
	"shoal/peer"
)

// Problem is a published file that cannot be served as it was published.
type Problem struct {
	UUID, Title string
	// Path is the media file.
	Path string
	// Text is a sentence for a person.
	Text string
}

// seeding keeps the swarms of what is published.
type seeding struct {
	cfg    *Config
	base   address.Base
	engine seeder // nil seeds nothing

	mu       sync.Mutex
	swarms   map[store.Hash]*peer.Swarm
	problems map[string]Problem // by path
}

func newSeeding(cfg *Config, base address.Base, engine seeder) *seeding {
	return &seeding{cfg: cfg, base: base, engine: engine, swarms: map[store.Hash]*peer.Swarm{}, problems: map[string]Problem{}}
}

func (s *seeding) path(f *store.File) string {
	return filepath.Join(s.cfg.Dir, publish.MediaDir, f.Name)
}

// all seeds every published file without hashing it. One that is missing or changed is logged and
// kept as a problem; the others go on. It returns the files that have their size but not their time,
// as after a restored backup: recheck hashes them.
func (s *seeding) all(ctx context.Context, videos []*store.Video) (doubtful []store.Ref) {
	for _, v := range videos {
		for i := range v.Files {
			if ctx.Err() != nil {
				return nil
			}
			err := s.file(ctx, v, &v.Files[i])
			if errors.Is(err, errTime) {
				doubtful = append(doubtful, store.Ref{Video: v, File: &v.Files[i]})
			} else if err != nil {
				s.cfg.Logger.Error("a published video is not seeded", "uuid", v.UUID, "title", v.Title, "error", err)
			}
		}
	}
	return doubtful
}

// video seeds one video's files under all their infohashes.
func (s *seeding) video(ctx context.Context, v *store.Video) error {
	var errs []error
	for i := range v.Files {
		errs = append(errs, s.file(ctx, v, &v.Files[i]))
	}
	return errors.Join(errs...)
}

func (s *seeding) file(ctx context.Context, v *store.Video, f *store.File) error {
	if !v.Served() {
		return nil
	}
	path := s.path(f)
	err := check(path, f)
	s.problem(v, path, err)
	if err != nil || s.engine == nil {
		return err
	}
	for _, t := range f.Torrents() {
		mi, err := publish.ReadTorrent(s.cfg.Dir, t.File)
		if err != nil {
			return err
		}
		sw, err := s.engine.Seed(ctx, peer.SeedFile{MetaInfo: mi, Path: path, Trackers: s.base.Trackers(), ModTime: f.ModTime})
		if err != nil {
			return fmt.Errorf("seeding %s: %w", f.Name, err)
		}
		s.mu.Lock()
		s.swarms[t.Infohash] = sw
		s.mu.Unlock()
	}
	return nil
}

// leave ends the swarms of a video that is not served any more. Its files stay.
func (s *seeding) leave(ctx context.Context, v *store.Video) error {
	var errs []error
	for i := range v.Files {
		f := &v.Files[i]
		s.problem(v, s.path(f), nil)
		for _, t := range f.Torrents() {
			s.mu.Lock()
			sw := s.swarms[t.Infohash]
			delete(s.swarms, t.Infohash)
			s.mu.Unlock()
			if sw != nil {
				errs = append(errs, sw.Leave(ctx, false))
			}
		}
	}
	return errors.Join(errs...)
}

// problem keeps what is wrong with a file, or forgets it where err is nil.
func (s *seeding) problem(v *store.Video, path string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.problems, path)
		return
	}
	s.problems[path] = Problem{UUID: v.UUID, Title: v.Title, Path: path, Text: err.Error()}
}

// recheck hashes doubtful files, one after the other, and seeds those that are as they were
// published. accept notes a file's new time.
func (s *seeding) recheck(ctx context.Context, doubtful []store.Ref, accept func(store.Ref, time.Time) (*store.Video, error)) {
	for _, ref := range doubtful {
		path := s.path(ref.File)
		modTime, err := s.hash(ctx, path, ref.File)
		if err == nil {
			var v *store.Video
			if v, err = accept(ref, modTime); err == nil {
				err = s.video(ctx, v)
			}
		}
		if ctx.Err() != nil {
			return
		}
		s.problem(ref.Video, path, err)
		if err != nil {
			s.cfg.Logger.Error("a published video is not seeded", "uuid", ref.Video.UUID, "title", ref.Video.Title, "error", err)
		}
	}
}

// hash compares a file with its torrent and returns its time.
func (s *seeding) hash(ctx context.Context, path string, f *store.File) (time.Time, error) {
	mi, err := publish.ReadTorrent(s.cfg.Dir, f.Torrent.File)
	if err != nil {
		return time.Time{}, err
	}
	info, err := mi.UnmarshalInfo()
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the torrent %s: %w", f.Torrent.File, err)
	}
	file, err := os.Open(path) //nolint:gosec // in the data directory
	if err != nil {
		return time.Time{}, fmt.Errorf("opening the published file: %w", err)
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil {
		return time.Time{}, fmt.Errorf("opening the published file: %w", err)
	}
	pieces, err := publish.Pieces(ctx, file, f.Size, info.PieceLength, nil)
	if err != nil {
		return time.Time{}, err
	}
	if !bytes.Equal(pieces, info.Pieces) {
		return time.Time{}, changed(path)
	}
	return fi.ModTime(), nil
}

// errTime is a file that has its size but not its time.
var errTime = errors.New("its time is not the one it was published with, so it is being checked")

// check compares a media file with what was hashed. It reads nothing of it.
func check(path string, f *store.File) error {
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("the file %s is missing: bring it back, or delete the video: %w", path, err)
	case err != nil:
		return fmt.Errorf("the file %s cannot be read: check the disk and its permissions: %w", path, err)
	case !publish.Unchanged(fi, f.Size, fi.ModTime()):
		return changed(path)
	case !publish.Unchanged(fi, f.Size, f.ModTime):
		return fmt.Errorf("the file %s: %w", path, errTime)
	}
	return nil
}

func changed(path string) error {
	return fmt.Errorf("the file %s changed since it was published, so nobody could use it: bring the published one back, or publish it anew", path)
}

func (s *seeding) swarm(h store.Hash) *peer.Swarm {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.swarms[h]
}

// Problems lists the published files that are missing or changed.
func (i *Instance) Problems() []Problem {
	i.seed.mu.Lock()
	defer i.seed.mu.Unlock()
	all := make([]Problem, 0, len(i.seed.problems))
	for _, p := range i.seed.problems {
		all = append(all, p)
	}
	return all
}
