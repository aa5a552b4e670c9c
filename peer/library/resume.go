// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shoal/peer"
)

// Resume joins every entry's swarm again, paused ones paused. It goes on after an entry that
// fails, and returns the errors joined. Nothing is hashed that was verified before.
func (l *Library) Resume(ctx context.Context, engine *peer.Engine) error {
	entries, err := l.List()
	errs := []error{err}
	for _, e := range entries {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if _, err := e.Join(ctx, engine); err != nil {
			errs = append(errs, fmt.Errorf("taking up %q again: %w", e.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Join takes part in the entry's swarm, as the entry says: paused, fetching, from the counts it had.
func (e Entry) Join(ctx context.Context, engine *peer.Engine) (*peer.Swarm, error) {
	target, err := e.target()
	if err != nil {
		return nil, err
	}
	if e.Path != "" && target.MetaInfo != nil {
		return engine.Seed(ctx, peer.SeedFile{
			MetaInfo: target.MetaInfo, Path: e.Path, Trackers: target.Trackers, WebSeeds: target.WebSeeds,
			Paused: e.Paused, Uploaded: e.Uploaded,
		})
	}
	swarm, err := engine.Join(ctx, target, peer.JoinOptions{
		Dir: e.Dir, Paused: e.Paused, Uploaded: e.Uploaded, Downloaded: e.Downloaded,
	})
	if err != nil {
		return nil, err
	}
	if e.Want {
		swarm.Download()
	}
	return swarm, nil
}

// target is what the torrent and the magnet say together: a magnet may name trackers and WebSeeds
// that the torrent does not.
func (e Entry) target() (peer.Target, error) {
	magnet, magnetErr := peer.ParseMagnet(e.Magnet)
	if len(e.Torrent) == 0 {
		return magnet, magnetErr
	}
	target, err := peer.ParseTorrent(e.Torrent)
	if err != nil {
		if magnetErr == nil {
			return magnet, nil
		}
		return peer.Target{}, err
	}
	target.Trackers = union(target.Trackers, magnet.Trackers)
	target.WebSeeds = union(target.WebSeeds, magnet.WebSeeds)
	return target, nil
}

func union(to, from []string) []string {
	for _, s := range from {
		if !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}
