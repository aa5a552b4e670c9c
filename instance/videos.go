// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

// The origins of videos.
const (
	OriginLocal  = "local"
	OriginRemote = "remote"
)

// defaultCount is how many videos a query without a count gets.
const defaultCount = 100

// VideoQuery chooses videos.
type VideoQuery struct {
	// Origin is OriginLocal, OriginRemote or empty for both.
	Origin string
	// Search is looked for in titles, descriptions, tags and channels.
	Search string
	// Start and Count are the page; Count 0 means 100.
	Start, Count int
}

// VideoInfo is a video known here.
type VideoInfo struct {
	UUID, ShortUUID string
	// URL is the video's ActivityPub id.
	URL   string
	Title string
	// Host is the origin instance, Channel name@host.
	Host, Channel string
	// Origin is OriginLocal or OriginRemote.
	Origin    string
	Published time.Time
	// Duration is in seconds.
	Duration                         float64
	Views, Likes, Dislikes, Comments int64
	Privacy                          Privacy
}

// Videos lists local videos, private ones too, and the remote ones that follows brought, newest
// first. total counts all that fit.
func (i *Instance) Videos(ctx context.Context, q VideoQuery) (videos []VideoInfo, total int, err error) {
	if q.Count <= 0 {
		q.Count = defaultCount
	}
	q.Start = max(q.Start, 0)
	var all []store.Listed
	for _, origin := range []string{OriginLocal, OriginRemote} {
		if q.Origin != "" && q.Origin != origin {
			continue
		}
		// The page can come from either, so each gives what could be on it.
		some, n, err := i.store.List(ctx, store.ListQuery{
			Origin: origin, Search: q.Search, Sort: "publishedAt", Descending: true, Count: q.Start + q.Count, Unlisted: origin == OriginLocal,
		})
		if err != nil {
			return nil, 0, fmt.Errorf("listing videos: %w", err)
		}
		all, total = append(all, some...), total+n
	}
	if q.Origin != "" && q.Origin != OriginLocal && q.Origin != OriginRemote {
		return nil, 0, fmt.Errorf("there is no origin %q: choose %s or %s", q.Origin, OriginLocal, OriginRemote)
	}
	slices.SortStableFunc(all, func(a, b store.Listed) int { return publishedAt(b).Compare(publishedAt(a)) })
	all = all[min(q.Start, len(all)):min(q.Start+q.Count, len(all))]
	err = i.store.Read(func(tx *store.Tx) error {
		for _, l := range all {
			v, err := i.videoInfo(tx, found{l.Local, l.Remote})
			if err != nil {
				return err
			}
			videos = append(videos, v)
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("listing videos: %w", err)
	}
	return videos, total, nil
}

func publishedAt(l store.Listed) time.Time {
	if l.Local != nil {
		return l.Local.Published
	}
	return l.Remote.Published
}

func (i *Instance) videoInfo(tx *store.Tx, f found) (VideoInfo, error) {
	n, err := tx.Counts(f.id(i))
	if err != nil {
		return VideoInfo{}, err
	}
	if v := f.local; v != nil {
		info := VideoInfo{
			UUID: v.UUID, ShortUUID: peertube.ShortUUID(v.UUID), URL: i.base.Video(v.UUID), Title: v.Title, Host: i.base.Host(), Origin: OriginLocal,
			Published: v.Published, Duration: v.Duration, Views: v.Views, Likes: int64(n.Likes), Dislikes: int64(n.Dislikes), Comments: int64(n.Comments),
			Privacy: privacyName(v.Privacy),
		}
		if c, ok := i.store.Snapshot().ChannelByID(v.ChannelID); ok {
			info.Channel = c.Name + "@" + i.base.Host()
		}
		return info, nil
	}
	v := f.remote
	info := VideoInfo{
		UUID: v.UUID, ShortUUID: peertube.ShortUUID(v.UUID), URL: v.ID, Title: v.Title, Host: v.Host, Origin: OriginRemote,
		Published: v.Published, Duration: float64(v.Duration), Views: v.Views, Likes: v.Likes, Dislikes: v.Dislikes, Comments: int64(n.Comments),
		Privacy: privacyName(v.Privacy),
	}
	info.Channel, _, err = i.nameOf(tx, v.Channel)
	return info, err
}

// nameOf is an actor's name@host and its name for people; the id where it is not known.
func (i *Instance) nameOf(tx *store.Tx, id string) (handle, name string, err error) {
	if local, display, ok := i.localName(id); ok {
		return local + "@" + i.base.Host(), display, nil
	}
	a, ok, err := tx.Actor(id)
	if err != nil || !ok {
		return id, "", err
	}
	return a.Username + "@" + a.Host, a.Name, nil
}

func privacyName(p store.Privacy) Privacy {
	return map[store.Privacy]Privacy{store.Public: Public, store.Unlisted: Unlisted, store.Private: Private}[p]
}
