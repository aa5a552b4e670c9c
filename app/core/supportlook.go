// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

// Bounds of looking for a support's videos.
const (
	maxSupportVideos = 500 // listed, the newest
	maxLooks         = 50  // videos asked about one by one in one go
	lookTime         = 2 * time.Minute
	lookEvery        = 30 * time.Minute // give or take a fifth
	firstRetry       = 5 * time.Minute  // after a failure; it doubles
	lastRetry        = 12 * time.Hour
	notPlayableFor   = 6 * time.Hour // after which a video without a torrent is asked about again
)

// jittered spreads a pause by a fifth to both sides.
func jittered(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}

// backOff is the pause after so many failures in a row.
func backOff(failures int) time.Duration {
	return jittered(min(firstRetry<<min(max(failures-1, 0), 16), lastRetry))
}

// waits reports whether a time is still to come. One that is further away than any pause lasts was noted
// while the clock was wrong.
func waits(now, until time.Time) bool { return now.Before(until) && until.Sub(now) <= 2*lastRetry }

// refresh asks a support's instance for its videos and notes how that went.
func (w *supporter) refresh(ctx context.Context, s library.Support) {
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	c, more, err := w.lookAt(looking, s, w.catalog(s.ID))
	if ctx.Err() != nil {
		return
	}
	err = errors.Join(err, w.keepCatalog(s.ID, c))
	now := w.app.keeper.now().UTC()
	changeErr := w.app.supports.change(s.ID, func(one *library.Support) {
		switch {
		case err != nil:
			one.Failures++
			one.Problem, one.Next = oneSentence(err), now.Add(max(backOff(one.Failures), askedToWait(err)))
			return
		case one.Budget != s.Budget || one.Order != s.Order: // changed meanwhile: looked at once more
		case more:
			one.Next = now.Add(jittered(firstRetry))
		default:
			one.Next = now.Add(jittered(lookEvery))
		}
		one.Failures, one.Problem, one.Checked = 0, "", now
	})
	if err != nil {
		w.app.logger.Info("looking for a support's videos failed", "support", s.ID, "instance", s.Instance, "error", err)
	}
	if changeErr != nil && CodeOf(changeErr) != CodeNotFound { // it may have been removed meanwhile
		w.app.logger.Warn("noting a support failed", "support", s.ID, "error", changeErr)
	}
}

// askedToWait is how long an instance asks not to be asked.
func askedToWait(err error) time.Duration {
	var remote *peertube.Error
	if errors.As(err, &remote) {
		return min(remote.RetryAfter, lastRetry)
	}
	return 0
}

// oneSentence is an error for a list.
func oneSentence(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// lookAt lists the videos, then asks about those that matter one by one. With an error it returns what
// is known so far. more is whether some were left for the next time.
func (w *supporter) lookAt(ctx context.Context, s library.Support, old library.Catalog) (c library.Catalog, more bool, err error) {
	c, err = w.listed(ctx, s, old)
	if err != nil {
		return old, false, err
	}
	if len(c.Videos) == 0 && len(old.Videos) > 0 {
		return old, false, fail(CodeNotFound, nil, "%s shows no videos any more: what is held of them is kept", hostOf(s.Instance))
	}
	wish := library.Wish{Order: s.Order, Budget: s.Budget, Refused: s.Refused, Held: w.heldFor(s.ID, c, w.snapshot())}
	var trackers []string
	for looks := 0; looks < maxLooks; looks++ {
		i := w.nextLook(wish, c.Videos)
		if i < 0 {
			break
		}
		v, err := w.app.peertube.Video(ctx, s.Instance, c.Videos[i].UUID)
		if err != nil && !ofTheVideo(err) {
			return c, false, err
		}
		if err == nil {
			trackers = v.TrackerURLs
			err = v.Playable()
		}
		c.Videos[i].Looked, c.Videos[i].Renditions, c.Videos[i].Problem = true, renditionsOf(v), ""
		if err != nil {
			c.Videos[i].Problem, c.Videos[i].Retry = oneSentence(err), w.app.keeper.now().UTC().Add(notPlayableFor)
		}
	}
	if s.Order == library.OrderRarest {
		w.countSeeders(ctx, s, c, wish, trackers)
	}
	return c, w.nextLook(wish, c.Videos) >= 0, nil
}

// ofTheVideo reports whether an error is about the one video that was asked for.
func ofTheVideo(err error) bool {
	var remote *peertube.Error
	if !errors.As(err, &remote) {
		return false
	}
	switch remote.Code {
	case peertube.CodeNotFound, peertube.CodeForbidden, peertube.CodeNotPeerTube, peertube.CodeTooLarge, peertube.CodeBlocked, peertube.CodeRedirect:
		return true
	}
	return false
}

// listed reads the list of videos, the newest first, and takes over what is known of them.
func (w *supporter) listed(ctx context.Context, s library.Support, old library.Catalog) (library.Catalog, error) {
	known := make(map[string]library.Video, len(old.Videos))
	for _, v := range old.Videos {
		known[v.UUID] = v
	}
	var c library.Catalog
	seen := map[string]bool{}
	for start := 0; start < maxSupportVideos; {
		page, err := w.page(ctx, s, peertube.ListOptions{Start: start, Count: 100, Sort: "-publishedAt"})
		if err != nil {
			return c, err
		}
		for _, v := range page.Data {
			if v.IsLive || v.UUID == "" || seen[v.UUID] || len(c.Videos) >= maxSupportVideos {
				continue
			}
			seen[v.UUID] = true
			c.Videos = append(c.Videos, listedVideo(v, known[v.UUID], w.app.keeper.now()))
		}
		start += len(page.Data)
		if len(page.Data) > 0 && start < int(page.Total) {
			continue
		}
		if start > 0 && start < int(page.Total) { // it broke off: what it does not name may be there still
			for _, v := range old.Videos {
				if !seen[v.UUID] && len(c.Videos) < maxSupportVideos {
					c.Videos = append(c.Videos, v)
				}
			}
		}
		break
	}
	return c, nil
}

// listedVideo is a video of a list, with what is known of it where it has not changed since.
func listedVideo(v peertube.Video, known library.Video, now time.Time) library.Video {
	out := library.Video{
		UUID: v.UUID, Name: v.Name, Published: v.PublishedAt.Time, Updated: v.UpdatedAt.Time, Views: int64(v.Views), Seeders: -1,
	}
	if known.UUID == "" {
		return out
	}
	out.Seeders, out.Failures, out.Retry, out.Problem = known.Seeders, known.Failures, known.Retry, known.Problem
	out.Renditions = known.Renditions
	out.Looked = known.Looked && known.Updated.Equal(out.Updated) && (len(known.Renditions) > 0 || waits(now, known.Retry))
	return out
}

func (w *supporter) page(ctx context.Context, s library.Support, o peertube.ListOptions) (peertube.VideoList, error) {
	switch s.Kind {
	case library.SupportChannel:
		return w.app.peertube.ChannelVideos(ctx, s.Instance, s.Name, o)
	case library.SupportAccount:
		return w.app.peertube.AccountVideos(ctx, s.Instance, s.Name, o)
	case library.SupportInstance:
		o.Local = true
		return w.app.peertube.Videos(ctx, s.Instance, o)
	}
	return peertube.VideoList{}, fmt.Errorf("a support of the unknown kind %q", s.Kind)
}

// nextLook returns the index of the video to ask about next, -1 for none: of the newest the first that
// is not known, until the budget is full; of the rarest any, since what they are is not known before.
func (w *supporter) nextLook(wish library.Wish, videos []library.Video) int {
	if wish.Order == library.OrderNewest && wish.Full(wish.Choose(videos)) && w.chosenAreKnown(wish, videos) {
		return -1
	}
	by := wish
	by.Order = library.OrderNewest
	for _, v := range by.Sorted(videos) {
		if !v.Looked {
			return indexOf(videos, v.UUID)
		}
	}
	return -1
}

// chosenAreKnown reports whether no unknown video comes before the last chosen one.
func (w *supporter) chosenAreKnown(wish library.Wish, videos []library.Video) bool {
	choices := wish.Choose(videos)
	if len(choices) == 0 {
		return false
	}
	last := choices[len(choices)-1].UUID
	for _, v := range wish.Sorted(videos) {
		if v.UUID == last {
			return true
		}
		if _, held := wish.Held[v.UUID]; !v.Looked && !held {
			return false
		}
	}
	return true
}

func indexOf(videos []library.Video, uuid string) int {
	for i, v := range videos {
		if v.UUID == uuid {
			return i
		}
	}
	return -1
}

// renditionsOf are the ways to hold a video, best first.
func renditionsOf(v peertube.VideoDetails) (out []library.Rendition) {
	for _, r := range v.Renditions() {
		if r.AudioOnly && len(out) > 0 {
			continue
		}
		one := library.Rendition{Height: r.Height, Bytes: r.Size}
		for _, f := range filesOf(r) {
			if t, err := peer.ParseMagnet(string(f.MagnetURI)); err == nil {
				one.Infohashes = append(one.Infohashes, t.Infohash.HexString())
			}
		}
		out = append(out, one)
	}
	return out
}

// filesOf are the files of a rendition.
func filesOf(r peertube.Rendition) []peertube.VideoFile {
	files := []peertube.VideoFile{r.Video}
	if r.Audio != nil {
		files = append(files, *r.Audio)
	}
	return files
}

// countSeeders asks the instance's tracker how many seeders there are. Where it does not say, views
// decide.
func (w *supporter) countSeeders(ctx context.Context, s library.Support, c library.Catalog, wish library.Wish, trackers []string) {
	at := map[string]int{} // infohash to the index of its video
	var infohashes []string
	for i, v := range c.Videos {
		fit := wish.Fit(v, wish.Budget)
		if fit < 0 || len(v.Renditions[fit].Infohashes) == 0 {
			continue
		}
		infohash := v.Renditions[fit].Infohashes[0]
		at[infohash] = i
		infohashes = append(infohashes, infohash)
	}
	if len(infohashes) == 0 {
		return
	}
	announce := s.Instance + "/tracker/announce"
	for _, t := range trackers {
		if strings.HasPrefix(t, "http") {
			announce = t
			break
		}
	}
	counts, err := w.app.peertube.Seeders(ctx, s.Instance, announce, infohashes)
	if err != nil {
		w.app.logger.Info("the seeders of a support's videos are not known", "support", s.ID, "error", err)
	}
	for infohash, n := range counts {
		if i, ok := at[infohash]; ok {
			c.Videos[i].Seeders = n
		}
	}
}
