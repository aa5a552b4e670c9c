// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"

	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

// maxSeedVideos bounds the videos of one channel that are co-seeded.
const maxSeedVideos = 1000

// Seed co-seeds what an address leads to, without playing: one video, in its best rendition, or
// all videos of a channel or account. It waits for the metadata and fetches what is missing
// afterwards. Videos of a channel that cannot be joined are passed over while one can.
func (a *App) Seed(ctx context.Context, arg string) ([]*Session, error) {
	r, err := a.Resolve(ctx, arg)
	if err != nil {
		return nil, err
	}
	switch r.Kind {
	case KindVideo, KindSwarm:
		s, err := a.seed(ctx, r)
		if err != nil {
			return nil, err
		}
		return []*Session{s}, nil
	case KindChannel, KindAccount:
		return a.seedAll(ctx, r.Location)
	case KindFile:
		return nil, fail(CodeBadInput, nil, "%s is a file of this machine: publish it first (shoal publish), then it is seeded", r.Path)
	case KindInstance:
	}
	return nil, fail(CodeBadInput, nil, "%s is a whole instance: give the address of a video or a channel", r.Location)
}

func (a *App) seed(ctx context.Context, r Resolved) (*Session, error) {
	s, err := a.joinResolved(ctx, r, WatchOptions{})
	if err != nil {
		return nil, err
	}
	for _, swarm := range []*peer.Swarm{s.Main, s.Audio} {
		if swarm == nil {
			continue
		}
		swarm.Download()
		err := a.keeper.change(swarm.Infohash().HexString(), func(e *library.Entry) { e.Want, e.Asked = true, true })
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, s.unwatch()
}

// seedAll joins every video of a channel or account, page by page.
func (a *App) seedAll(ctx context.Context, l peertube.Location) ([]*Session, error) {
	var sessions []*Session
	var failed error
	for start := 0; start < maxSeedVideos; {
		list, err := a.videosOf(ctx, l, peertube.ListOptions{Start: start, Count: 100})
		if err != nil {
			return sessions, err
		}
		for _, v := range list.Data {
			s, err := a.seedListed(ctx, l.Instance, v)
			if ctx.Err() != nil {
				return sessions, ctx.Err()
			}
			if err != nil {
				a.logger.Warn("a video is not co-seeded", "video", v.Name, "error", err)
				failed = err
				continue
			}
			sessions = append(sessions, s)
		}
		start += len(list.Data)
		if len(list.Data) == 0 || start >= int(list.Total) {
			break
		}
	}
	if len(sessions) == 0 && failed != nil {
		return nil, failed
	}
	if len(sessions) == 0 {
		return nil, fail(CodeNotFound, nil, "%s has no videos to co-seed", l)
	}
	return sessions, nil
}

func (a *App) videosOf(ctx context.Context, l peertube.Location, o peertube.ListOptions) (peertube.VideoList, error) {
	if l.Channel != "" {
		return a.peertube.ChannelVideos(ctx, l.Instance, l.Channel, o)
	}
	return a.peertube.AccountVideos(ctx, l.Instance, l.Account, o)
}

func (a *App) seedListed(ctx context.Context, instance string, v peertube.Video) (*Session, error) {
	r, err := a.resolveLocation(ctx, peertube.Location{Instance: instance, VideoID: v.UUID})
	if err != nil {
		return nil, err
	}
	return a.seed(ctx, r)
}

// Release ends a session of Seed: its swarms are paused unless they were held before it.
func (s *Session) Release() error {
	var errs []error
	for _, swarm := range s.joined {
		errs = append(errs, s.app.Pause(swarm.Infohash().HexString()))
	}
	s.joined = nil
	return errors.Join(errs...)
}
