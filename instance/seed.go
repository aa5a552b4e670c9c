// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

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
// kept as a problem; the others go on.
func (s *seeding) all(ctx context.Context, videos []*store.Video) {
	for _, v := range videos {
		if ctx.Err() != nil {
			return
		}
		if err := s.video(ctx, v); err != nil {
			s.cfg.Logger.Error("a published video is not seeded", "uuid", v.UUID, "title", v.Title, "error", err)
		}
	}
}

// video seeds one video's files under all their infohashes.
func (s *seeding) video(ctx context.Context, v *store.Video) error {
	if !v.Served() {
		return nil
	}
	var errs []error
	for i := range v.Files {
		if err := s.file(ctx, v, &v.Files[i]); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *seeding) file(ctx context.Context, v *store.Video, f *store.File) error {
	path := s.path(f)
	if err := check(path, f); err != nil {
		s.mu.Lock()
		s.problems[path] = Problem{UUID: v.UUID, Title: v.Title, Path: path, Text: err.Error()}
		s.mu.Unlock()
		return err
	}
	if s.engine == nil {
		return nil
	}
	for _, t := range f.Torrents() {
		mi, err := publish.ReadTorrent(s.cfg.Dir, t.File)
		if err != nil {
			return err
		}
		sw, err := s.engine.Seed(ctx, peer.SeedFile{MetaInfo: mi, Path: path, Trackers: s.base.Trackers()})
		if err != nil {
			return fmt.Errorf("seeding %s: %w", f.Name, err)
		}
		s.mu.Lock()
		s.swarms[t.Infohash] = sw
		s.mu.Unlock()
	}
	return nil
}

// check compares a media file with what was hashed. It reads nothing of it.
func check(path string, f *store.File) error {
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("the file %s is missing: bring it back, or delete the video: %w", path, err)
	case err != nil:
		return fmt.Errorf("the file %s cannot be read: check the disk and its permissions: %w", path, err)
	case !publish.Unchanged(fi, f.Size, f.ModTime):
		return fmt.Errorf("the file %s changed since it was published, so nobody could use it: bring the published one back, or publish it anew", path)
	}
	return nil
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
