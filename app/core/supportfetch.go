// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

const (
	// joinTime bounds asking about a video and getting its metadata.
	joinTime = 2 * time.Minute
	// slack is how many bytes a torrent may be larger than the instance says: the tables of another
	// container.
	slack = 1 << 20
)

// start joins a video's swarms in the background, and wakes the worker when it is done.
func (w *supporter) start(ctx context.Context, s library.Support, v library.Video, choice library.Choice) {
	key := s.ID + v.UUID
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.starting[key] {
		return
	}
	w.starting[key] = true
	w.work.Go(func() {
		joining, cancel := context.WithTimeout(ctx, joinTime)
		defer cancel()
		err := w.fetch(joining, s, v, choice)
		if ctx.Err() == nil {
			w.tried(s.ID, v.UUID, err)
		}
		w.mu.Lock()
		delete(w.starting, key)
		w.mu.Unlock()
		w.app.supports.look()
	})
}

// tried notes how joining a video went.
func (w *supporter) tried(id, uuid string, err error) {
	c := w.catalog(id)
	c.Videos = slices.Clone(c.Videos)
	i := indexOf(c.Videos, uuid)
	if i < 0 {
		return
	}
	v := &c.Videos[i]
	if err == nil {
		if v.Failures == 0 {
			return
		}
		v.Failures, v.Problem, v.Retry = 0, "", time.Time{}
	} else {
		w.app.logger.Info("a video is not held for a support", "support", id, "video", uuid, "error", err)
		v.Failures++
		v.Problem, v.Retry = oneSentence(err), w.app.keeper.now().UTC().Add(backOff(v.Failures))
	}
	if err := w.keepCatalog(id, c); err != nil {
		w.app.logger.Warn("noting a video failed", "support", id, "error", err)
	}
}

// fetch joins the chosen rendition of a video and has all of it fetched.
func (w *supporter) fetch(ctx context.Context, s library.Support, v library.Video, choice library.Choice) error {
	r, err := w.app.resolveLocation(ctx, peertube.Location{Instance: s.Instance, VideoID: v.UUID})
	if err != nil {
		return err
	}
	chosen := v.Renditions[choice.Rendition]
	var rendition *peertube.Rendition
	for _, one := range r.Video.Renditions() {
		if one.Size <= chosen.Bytes && one.Height <= chosen.Height && !(one.AudioOnly && chosen.Height > 0) {
			rendition = &one // best first
			break
		}
	}
	if rendition == nil {
		return fail(string(peertube.CodeNotPlayable), nil, "its files have changed: Shoal looks at it again")
	}
	var joined []*peer.Swarm
	for _, f := range filesOf(*rendition) {
		swarm, isNew, err := w.join(ctx, r, f)
		if isNew {
			joined = append(joined, swarm)
		}
		if err == nil {
			err = w.hold(swarm, s, v, r)
		}
		if err != nil {
			return errors.Join(err, w.undo(joined))
		}
	}
	return nil
}

// join joins the swarm of one file and waits until it is known what is in it.
func (w *supporter) join(ctx context.Context, r Resolved, f peertube.VideoFile) (*peer.Swarm, bool, error) {
	target, err := w.app.fileTarget(ctx, r, f)
	if err != nil {
		return nil, false, err
	}
	if _, own := w.app.ownSwarm(target.Infohash.HexString()); own {
		return nil, false, fail(CodeBadInput, nil, "this is a video of your own instance")
	}
	_, known := w.app.keeper.entry(target.Infohash.HexString()) // though it is not joined: undo must not delete it
	swarm, isNew, err := w.app.join(ctx, target, peer.JoinOptions{})
	if err != nil {
		return nil, false, err
	}
	isNew = isNew && !known
	if err := swarm.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			err = noMetadata(ctx, swarm)
		}
		return swarm, isNew, err
	}
	if got := swarm.Stats().Bytes; got > int64(f.Size)+slack {
		return swarm, isNew, fail(CodeBadInput, nil, "its torrent has %d bytes where the instance says %d: it is not fetched", got, int64(f.Size))
	}
	return swarm, isNew, nil
}

// hold remembers a swarm for a support and fetches all of it.
func (w *supporter) hold(swarm *peer.Swarm, s library.Support, v library.Video, r Resolved) error {
	err := w.app.keeper.hold(swarm, func(e library.Entry, known bool) library.Entry {
		if !known {
			e = library.Entry{Infohash: swarm.Infohash().HexString(), Added: w.app.keeper.now().UTC()}
		}
		if e.Paused {
			e = e.Resumed()
		}
		if e.Support == "" {
			e.Support, e.Video, e.Before = s.ID, v.UUID, e.Uploaded
		}
		e.Name, e.Page, e.Want = r.Video.Name, r.Location.String(), true
		return e
	})
	if err != nil {
		return err
	}
	if _, ok := w.app.supports.get(s.ID); !ok { // it was removed meanwhile
		return errors.Join(w.app.keeper.change(swarm.Infohash().HexString(), release), noSupport(s.ID))
	}
	swarm.Download()
	return nil
}

// undo leaves swarms that were joined for a video that cannot be had.
func (w *supporter) undo(swarms []*peer.Swarm) error {
	var errs []error
	for _, swarm := range swarms {
		ctx, cancel := context.WithTimeout(context.Background(), leaveWait)
		_, err := w.app.watching.unless(ctx, swarm.Infohash().HexString(), func() error { return w.app.leaveSwarm(ctx, swarm) })
		errs = append(errs, err)
		cancel()
	}
	return errors.Join(errs...)
}

// leaveSwarm leaves a swarm that the library may or may not know.
func (a *App) leaveSwarm(ctx context.Context, swarm *peer.Swarm) error {
	return errors.Join(swarm.Leave(ctx, true), a.keeper.forget(swarm.Infohash().HexString()))
}
