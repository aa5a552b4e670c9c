// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"errors"
	"slices"
	"strings"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

// watch notes that a person watches the session's swarms, until Close.
func (s *Session) watch() error {
	s.watched = true
	return s.noteWatched()
}

// unwatch lets go of the session's swarms.
func (s *Session) unwatch() error {
	err := s.noteWatched()
	for _, infohash := range s.claimed {
		s.app.watching.end(infohash)
	}
	s.claimed = nil
	return err
}

func (s *Session) noteWatched() error {
	var errs []error
	for _, infohash := range s.claimed {
		if !s.watched {
			break
		}
		now := s.app.keeper.now().UTC()
		errs = append(errs, s.app.keeper.change(infohash, func(e *library.Entry) { e.LastWatched = now }))
	}
	return errors.Join(errs...)
}

// stand fills in why each swarm stays or goes.
func (a *App) stand(list []SwarmInfo) {
	for i, s := range library.Stand(a.holdings(list), a.keeper.now()) {
		list[i].Keep = s
	}
}

// holdings is what the order of deletion goes by.
func (a *App) holdings(list []SwarmInfo) []library.Holding {
	out := make([]library.Holding, len(list))
	for i, s := range list {
		out[i] = holding(s)
		out[i].Watching = a.watching.has(s.Infohash)
	}
	return out
}

func holding(s SwarmInfo) library.Holding {
	h := library.Holding{
		Infohash: s.Infohash, Held: s.Completed, Bytes: s.Bytes, Own: s.Own || s.inPlace, Pinned: s.Pinned,
		Support: s.SupportedBy != "", Seeders: s.Seeders, Watched: s.Added,
	}
	h.Fetching = h.Support && !s.Complete && !s.Paused
	if s.LastWatched.After(h.Watched) {
		h.Watched = s.LastWatched
	}
	return h
}

// kept adds up what the budget bounds, in bytes: what was joined, whether it arrived whole or not, and
// not what the instance publishes.
func kept(list []SwarmInfo) (bytes int64) {
	for _, s := range list {
		if !s.Own && !s.inPlace {
			bytes += s.Completed
		}
	}
	return bytes
}

// SetPinned pins a swarm, so that it is never deleted to make room and never stopped by a limit, or
// takes that back. What a limit had stopped goes on.
func (a *App) SetPinned(infohash string, pinned bool) error {
	infohash = strings.ToLower(infohash)
	if _, own := a.ownSwarm(infohash); own {
		return fail(CodeBadInput, nil, "this is a video of your own instance: it is always kept")
	}
	e, known := a.keeper.entry(infohash)
	if !known {
		return fail(CodeNotFound, nil, "no swarm %s is held: look at the list of swarms", infohash)
	}
	if err := a.keeper.change(infohash, func(e *library.Entry) { e.Pinned = pinned }); err != nil {
		return err
	}
	if pinned && e.Stopped != library.StopNone && a.engine != nil {
		return a.ResumeSwarm(infohash)
	}
	a.supports.look()
	return nil
}

// Held returns the infohashes of the swarms held for an address: an infohash, a magnet link, or a
// watch page, which may have several.
func (a *App) Held(arg string) ([]string, error) {
	arg = strings.TrimSpace(arg)
	entries := a.keeper.all()
	if looksLikeSwarm(arg) {
		target, err := peer.ParseTarget(arg)
		if err != nil {
			return nil, asInput(err)
		}
		infohash := target.Infohash.HexString()
		if _, held := entries[infohash]; !held {
			return nil, fail(CodeNotFound, nil, "no swarm %s is held: shoal status lists them", infohash)
		}
		return []string{infohash}, nil
	}
	location, err := peertube.ParseURL(arg)
	if err != nil {
		return nil, err
	}
	if location.VideoID == "" {
		return nil, fail(CodeBadInput, nil, "%s is no video: give a watch page, a magnet link or an infohash", location)
	}
	location.Start = 0
	var list []string
	for infohash, e := range entries {
		if e.Page != "" && e.Page == location.String() {
			list = append(list, infohash)
		}
	}
	slices.Sort(list)
	if len(list) == 0 {
		return nil, fail(CodeNotFound, nil, "no swarm of %s is held: watch it or seed it first", location)
	}
	return list, nil
}

// limitsOf are the limits of the settings.
func limitsOf(s config.Sharing) library.Limits {
	return library.Limits{Ratio: s.Ratio, Time: int64(s.SeedHours) * 3600, Idle: int64(s.IdleHours) * 3600}
}
