// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"path"
	"path/filepath"

	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

// WatchOptions adjust Watch.
type WatchOptions struct {
	Sources peer.Sources // what may carry payload; empty: the settings'
	Quality int          // height in lines: the best rendition up to it; 0: the best there is
	Dir     string       // where the files go; empty: the downloads folder
}

// Watch resolves an address and joins its swarm(s). It returns once the metadata is known. A video
// of this process's own instance is played from the swarm that seeds it.
func (a *App) Watch(ctx context.Context, arg string, o WatchOptions) (*Session, error) {
	r, err := a.Resolve(ctx, arg)
	if err != nil {
		return nil, err
	}
	return a.WatchResolved(ctx, r, o)
}

// WatchResolved is Watch for an address that Resolve read.
func (a *App) WatchResolved(ctx context.Context, r Resolved, o WatchOptions) (*Session, error) {
	s, err := a.joinResolved(ctx, r, o)
	if err != nil {
		return nil, err
	}
	return s, s.watch()
}

// joinResolved joins without watching. What is joined is not deleted to make room before unwatch.
func (a *App) joinResolved(ctx context.Context, r Resolved, o WatchOptions) (*Session, error) {
	s := &Session{app: a, Rendition: -1}
	switch r.Kind {
	case KindFile:
		s.Path, s.Title = r.Path, filepath.Base(r.Path)
		return s, nil
	case KindSwarm:
		s.Title = r.Target.Name
		if err := s.joinMain(ctx, r.Target, o); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	case KindVideo:
		if err := s.joinVideo(ctx, r, o); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	case KindInstance, KindChannel, KindAccount:
		return nil, fail(CodeBadInput, nil, "%s has many videos: give the address of one of them", r.Location)
	}
	return s, nil
}

func (s *Session) joinVideo(ctx context.Context, r Resolved, o WatchOptions) error {
	s.Video, s.Title = r.Video, r.Video.Name
	s.Page = r.Location.String()
	s.Renditions = r.Video.Renditions()
	picked, ok := peertube.Pick(s.Renditions, o.Quality)
	if !ok {
		return notPlayable(*r.Video)
	}
	for i, rendition := range s.Renditions {
		if rendition == picked {
			s.Rendition = i
		}
	}
	target, err := s.app.fileTarget(ctx, r, picked.Video)
	if err != nil {
		return err
	}
	if picked.Audio != nil {
		audio, err := s.app.fileTarget(ctx, r, *picked.Audio)
		if err != nil {
			return err
		}
		if err := s.joinAudio(ctx, audio, o); err != nil {
			return err
		}
	}
	return s.joinMain(ctx, target, o)
}

func notPlayable(v peertube.VideoDetails) error {
	if v.IsLive {
		return fail(string(peertube.CodeNotPlayable), nil, "%q is a live stream, which has no swarm to join: watch it on its instance", v.Name)
	}
	return fail(string(peertube.CodeNotPlayable), nil, "%q has no file with a torrent: watch it on its instance", v.Name)
}

// fileTarget says how to join one file of a video.
func (a *App) fileTarget(ctx context.Context, r Resolved, f peertube.VideoFile) (peer.Target, error) {
	var target peer.Target
	if f.MagnetURI != "" {
		var err error
		if target, err = peer.ParseMagnet(string(f.MagnetURI)); err != nil {
			return peer.Target{}, fail(string(peertube.CodeNotPlayable), err, "the instance gives a magnet link that cannot be read (%v): ask its administrator", err)
		}
	} else {
		data, err := a.peertube.Get(ctx, r.Location.Instance, string(f.TorrentURL), maxTorrent)
		if err != nil {
			return peer.Target{}, err
		}
		if target, err = peer.ParseTorrent(data); err != nil {
			return peer.Target{}, fail(string(peertube.CodeNotPlayable), err, "the instance gives a torrent that cannot be read (%v): ask its administrator", err)
		}
	}
	target.Trackers = addMissing(target.Trackers, r.Video.TrackerURLs...)
	if f.FileURL != "" {
		target.WebSeeds = addMissing(target.WebSeeds, string(f.FileURL))
	}
	if f.TorrentURL != "" && target.MetaInfo == nil {
		target.ExactSources = addMissing(target.ExactSources, string(f.TorrentURL))
	}
	return target, nil
}

func addMissing(list []string, more ...string) []string {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		seen[s] = true
	}
	for _, s := range more {
		if s != "" && !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}

func (s *Session) joinMain(ctx context.Context, t peer.Target, o WatchOptions) (err error) {
	if s.Main, err = s.join(ctx, t, o); err != nil {
		return err
	}
	if s.MainFile, err = mediaFile(s.Main); err != nil {
		return err
	}
	if s.Title == "" {
		s.Title = s.Main.Name()
	}
	return nil
}

func (s *Session) joinAudio(ctx context.Context, t peer.Target, o WatchOptions) (err error) {
	if s.Audio, err = s.join(ctx, t, o); err != nil {
		return err
	}
	s.AudioFile, err = mediaFile(s.Audio)
	return err
}

// join joins one swarm, waits for its metadata and remembers it in the library.
func (s *Session) join(ctx context.Context, t peer.Target, o WatchOptions) (*peer.Swarm, error) {
	infohash := t.Infohash.HexString()
	if err := s.app.watching.begin(ctx, infohash); err != nil {
		return nil, err
	}
	s.claimed = append(s.claimed, infohash)
	swarm, isNew, err := s.app.join(ctx, t, peer.JoinOptions{Sources: o.Sources, Dir: o.Dir})
	if err != nil {
		return nil, err
	}
	if isNew {
		s.joined = append(s.joined, swarm)
	}
	if err := swarm.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, noMetadata(ctx, swarm)
		}
		return nil, err
	}
	return swarm, s.app.hold(swarm, library.Entry{Name: s.Title, Page: s.Page, Dir: o.Dir})
}

// noMetadata says why a swarm's metadata did not come.
func noMetadata(ctx context.Context, swarm *peer.Swarm) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	reason := swarm.Stats().Problem
	if reason == "" {
		reason = "no peer answered"
	}
	return fail(CodeTimeout, ctx.Err(), "the video's description did not come in time (%s): check the link, or try again later", reason)
}

// join joins a swarm. isNew is whether it was not held before.
func (a *App) join(ctx context.Context, t peer.Target, o peer.JoinOptions) (_ *peer.Swarm, isNew bool, err error) {
	if swarm, ok := a.ownSwarm(t.Infohash.HexString()); ok {
		return swarm, false, nil
	}
	held, ok := a.engine.Swarm(t.Infohash)
	if ok && len(o.Sources) > 0 && !held.Stats().Complete {
		return nil, false, fail(CodeInUse, nil, "%q is held already, over the transports of the settings: remove it first, or name another folder with --data", held.Name())
	}
	if !ok {
		if e, known := a.keeper.entry(t.Infohash.HexString()); known {
			if o.Dir == "" {
				o.Dir = e.Dir
			}
			o.Uploaded, o.Downloaded = e.Uploaded, e.Downloaded
		}
	}
	swarm, err := a.engine.Join(ctx, t, o)
	if err != nil {
		return nil, false, err
	}
	if swarm.Paused() {
		swarm.Resume()
	}
	return swarm, !ok, nil
}

// ownSwarm returns the swarm by which this process's instance seeds a video of its own.
func (a *App) ownSwarm(infohash string) (*peer.Swarm, bool) {
	if a.instance == nil {
		return nil, false
	}
	local, ok := a.instance.Local(infohash)
	return local.Swarm, ok && local.Swarm != nil
}

// hold remembers a swarm whose metadata is known.
func (a *App) hold(swarm *peer.Swarm, e library.Entry) error {
	infohash := swarm.Infohash().HexString()
	if _, own := a.ownSwarm(infohash); own {
		return nil
	}
	return a.keeper.hold(swarm, func(old library.Entry, known bool) library.Entry {
		if !known {
			old = library.Entry{Infohash: infohash, Added: a.keeper.now().UTC(), Dir: e.Dir}
		}
		if e.Name != "" {
			old.Name = e.Name
		}
		if e.Page != "" {
			old.Page = e.Page
		}
		old.Want = old.Want || e.Want
		if old.Paused {
			old = old.Resumed()
		}
		return old
	})
}

// mediaFile returns the file of a swarm that is to be played: the largest one with a video's or
// sound's name.
func mediaFile(swarm *peer.Swarm) (int, error) {
	best, size := -1, int64(0)
	for _, f := range swarm.Files() {
		if isMediaName(path.Base(f.Path)) && f.Length > size {
			best, size = f.Index, f.Length
		}
	}
	files := swarm.Files()
	if best < 0 && len(files) == 1 && path.Ext(files[0].Path) == "" && files[0].Length > 0 {
		return files[0].Index, nil // a name without an ending says nothing
	}
	if best < 0 {
		return 0, fail(CodeNotMedia, nil, "%q holds no video: choose another link", swarm.Name())
	}
	return best, nil
}
