// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/anacrolix/torrent/metainfo"
)

// JoinOptions adjust one swarm.
type JoinOptions struct {
	Sources Sources // what may carry payload in this swarm; empty: the engine's
	Dir     string  // where its files go; empty: the engine's
	Paused  bool    // connect to nobody until Resume

	// Uploaded and Downloaded are counts to go on from, as Stats gave them before a restart.
	Uploaded, Downloaded Bytes
}

// Join joins a swarm. For an infohash that is held already it returns the same Swarm, with the
// target's trackers, WebSeeds and sources of metadata added. It does not wait for the metadata:
// see Swarm.Wait. It fetches nothing until there is a Stream or Download is called.
func (e *Engine) Join(ctx context.Context, target Target, options JoinOptions) (*Swarm, error) {
	if target.MetaInfo != nil {
		checked, err := targetFromMetaInfo(target.MetaInfo)
		if err != nil {
			return nil, err
		}
		if target.Infohash == (metainfo.Hash{}) {
			target.Infohash = checked.Infohash
		}
		if target.Infohash != checked.Infohash {
			return nil, errors.New("the torrent file does not belong to this infohash")
		}
		target = target.merge(checked)
	}
	if target.Infohash == (metainfo.Hash{}) {
		return nil, ErrNoInfohash
	}
	sources, err := e.chooseSwarmSources(options.Sources)
	if err != nil {
		return nil, err
	}
	dir := options.Dir
	if dir == "" {
		dir = e.config.Dir
	} else if err := checkWritable(dir); err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("finding the folder: %w", err)
	}
	s := e.newSwarm(target, sources, &store{dir: dir})
	s.tally.uploaded, s.tally.downloaded = options.Uploaded, options.Downloaded
	s.paused = options.Paused
	return e.enter(ctx, s, target)
}

// SeedFile is a complete file that is seeded where it lies.
type SeedFile struct {
	MetaInfo *metainfo.MetaInfo
	Path     string
	Trackers []string // beside those of the MetaInfo
	WebSeeds []string // for Target; a seeder needs none

	// ModTime is the file's mtime when it was hashed. Zero takes the word of the last Seed of this
	// infohash, and where there was none trusts the file's size.
	ModTime time.Time
	Sources Sources // what may carry payload; empty: the engine's
	Paused  bool

	// Uploaded is a count to go on from, as Stats gave it before a restart.
	Uploaded Bytes
}

// Seed seeds a file in place: no copy, and no hash while its size and mtime are as recorded. A
// file that looks changed is hashed first, and Stats has a Problem if it is not the same any more.
func (e *Engine) Seed(ctx context.Context, file SeedFile) (*Swarm, error) {
	if file.MetaInfo == nil {
		return nil, errors.New("seeding a file needs its torrent")
	}
	target, err := targetFromMetaInfo(file.MetaInfo)
	if err != nil {
		return nil, err
	}
	target = target.merge(Target{Trackers: file.Trackers, WebSeeds: file.WebSeeds})
	path, err := filepath.Abs(file.Path)
	if err != nil {
		return nil, fmt.Errorf("finding the file: %w", err)
	}
	sources, err := e.chooseSwarmSources(file.Sources)
	if err != nil {
		return nil, err
	}
	s := e.newSwarm(target, sources, &store{dir: filepath.Dir(path), inPlace: path, hashedAt: file.ModTime})
	s.tally.uploaded = file.Uploaded
	s.paused = file.Paused
	return e.enter(ctx, s, target)
}

func (e *Engine) chooseSwarmSources(wanted Sources) (Sources, error) {
	if len(wanted) == 0 {
		return e.sources, nil
	}
	var sources Sources
	for _, s := range wanted {
		if e.sources.Has(s) {
			sources = append(sources, s)
		}
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("none of the sources %s is on: this engine has %s", wanted, e.sources)
	}
	return sources, nil
}

// merge adds what o knows and t does not.
func (t Target) merge(o Target) Target {
	add := func(to, from []string, max int) []string {
		to = slices.Clone(to)
		for _, s := range from {
			if len(to) < max && !slices.Contains(to, s) {
				to = append(to, s)
			}
		}
		return to
	}
	if t.Name == "" {
		t.Name = o.Name
	}
	t.Trackers = cleanURLs(add(t.Trackers, o.Trackers, maxTrackers), maxTrackers, trackerSchemes)
	t.WebSeeds = cleanURLs(add(t.WebSeeds, o.WebSeeds, maxWebSeeds), maxWebSeeds, httpSchemes)
	t.ExactSources = cleanURLs(add(t.ExactSources, o.ExactSources, maxExactSources), maxExactSources, httpSchemes)
	t.Peers = cleanPeers(add(t.Peers, o.Peers, maxPeers))
	if t.MetaInfo == nil {
		t.MetaInfo = o.MetaInfo
	}
	return t
}

// enter adds a swarm to the client, or merges it into the one that is there.
func (e *Engine) enter(ctx context.Context, s *Swarm, target Target) (*Swarm, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.joining.Lock()
	defer e.joining.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if held, ok := e.Swarm(s.infohash); ok {
		return held, held.merge(target)
	}
	e.swarms.Store(s.infohash, s) // first: callbacks may come at once
	if err := s.open(target); err != nil {
		e.swarms.Delete(s.infohash)
		s.cancel(err)
		return nil, err
	}
	s.start(target)
	s.entered.Store(true)
	e.hold(s, true)
	return s, nil
}

// open opens the files, where it is known which, and has the client load the torrent of what is not
// whole: what is rests until it is asked for.
func (s *Swarm) open(target Target) error {
	if target.MetaInfo != nil {
		info, err := parseInfo(target.MetaInfo.InfoBytes)
		if err == nil {
			err = s.store.open(info) // not under the client's lock: the disk may be slow
		}
		if err != nil {
			return fmt.Errorf("opening the files: %w", err)
		}
		if s.store.mayRest() {
			s.store.resting.Store(true)
			return nil
		}
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	_, err := s.load()
	return err
}
