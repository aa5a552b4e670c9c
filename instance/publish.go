// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"fmt"

	"shoal/instance/fault"
	"shoal/instance/rest"
	"shoal/instance/store"
	"shoal/instance/tracker"
	"shoal/peer"
	"shoal/peer/peertube"
)

// Privacy of a video.
type Privacy string

// The privacies that the command line names.
const (
	Public   Privacy = "public"   // listed and served
	Unlisted Privacy = "unlisted" // served to who knows the address
	Private  Privacy = "private"  // kept, not served
)

// PublishRequest is what to publish.
type PublishRequest struct {
	// File is the path of a video file: mp4 or webm with codecs that browsers play.
	File string
	// Title has 3 to 120 characters.
	Title string
	// Channel is a channel's name; empty means root_channel.
	Channel string
	// Description is plain text or Markdown, at most 10000 characters.
	Description string
	// Tags are at most 5, of 2 to 30 characters each.
	Tags []string
	// Privacy is Public when empty.
	Privacy Privacy
}

// Progress of a publication. Stage is one of probe, copy, hash, publish; Done and Total are bytes
// where the stage moves bytes and steps elsewhere.
type Progress struct {
	Stage       string
	Done, Total int64
}

// Published says where a published video is found.
type Published struct {
	UUID, ShortUUID string
	// URL is the video's ActivityPub id, /videos/watch/{uuid}.
	URL string
	// WatchPage is the page for people, /w/{shortUUID}.
	WatchPage string
	Magnet    string
	Infohash  string
	// TorrentURL is where the .torrent file is served.
	TorrentURL string
	// FileURLs are the WebSeeds of the renditions.
	FileURLs []string
	// Bytes is the size of all renditions.
	Bytes int64
}

func parsePrivacy(p Privacy) (store.Privacy, error) {
	switch p {
	case Public, "":
		return store.Public, nil
	case Unlisted:
		return store.Unlisted, nil
	case Private:
		return store.Private, nil
	}
	return 0, fault.BadInput("there is no privacy %q: choose public, unlisted or private", p)
}

func (i *Instance) published(v *store.Video) Published {
	p := Published{UUID: v.UUID, ShortUUID: peertube.ShortUUID(v.UUID), URL: i.base.Video(v.UUID), WatchPage: i.base.WatchPage(v.UUID)}
	for n := range v.Files {
		f := &v.Files[n]
		if n == 0 {
			p.Magnet, p.Infohash, p.TorrentURL = i.base.Magnet(v.Title, f), f.Infohash.String(), i.base.Torrent(f.Torrent.File)
		}
		p.FileURLs = append(p.FileURLs, i.base.Media(f.Name))
		p.Bytes += f.Size
	}
	return p
}

// Rename gives a video another title and, since the title is in them, its files new torrents. The
// torrents before are tracked and seeded still. id is a UUID, short UUID or number.
func (i *Instance) Rename(ctx context.Context, id, title string) (Published, error) {
	v, _ := rest.Find(i.store.Snapshot(), id)
	if v == nil {
		return Published{}, errNoVideo(id)
	}
	if err := i.publisher.Rename(ctx, v, title); err != nil {
		return Published{}, err
	}
	v, _ = i.store.Snapshot().Video(v.ID)
	if err := i.seed.video(context.WithoutCancel(ctx), v); err != nil {
		return i.published(v), fmt.Errorf("the video is renamed, but not seeded until the next start: %w", err)
	}
	return i.published(v), nil
}

// Local is a video of this very instance, on this machine's disk.
type Local struct {
	UUID, ShortUUID, Title string
	Infohash               string
	Magnet                 string
	// Path is the media file.
	Path string
	// Swarm seeds the file; nil when the file is missing or changed, or without an engine.
	Swarm *peer.Swarm
	// Tracked is who the instance's tracker knows in the swarm.
	Tracked TrackerStats
}

// TrackerStats are the tracker's figures of one swarm since the instance started.
type TrackerStats = tracker.Stats

// Local finds a video of this instance by UUID, short UUID or infohash in hex, also one it had
// before a rename.
func (i *Instance) Local(id string) (Local, bool) {
	snap := i.store.Snapshot()
	var hash store.Hash
	if hash.UnmarshalText([]byte(id)) == nil {
		ref, ok := snap.ByInfohash(hash)
		if !ok {
			return Local{}, false
		}
		return i.local(ref.Video, ref.File, hash), true
	}
	v, _ := rest.Find(snap, id)
	if v == nil || len(v.Files) == 0 {
		return Local{}, false
	}
	return i.local(v, &v.Files[0], v.Files[0].Infohash), true
}

func (i *Instance) local(v *store.Video, f *store.File, h store.Hash) Local {
	return Local{
		UUID: v.UUID, ShortUUID: peertube.ShortUUID(v.UUID), Title: v.Title, Infohash: h.String(), Magnet: i.base.Magnet(v.Title, f),
		Path: i.seed.path(f), Swarm: i.seed.swarm(h), Tracked: i.tracker.Stats(tracker.Hash(h)),
	}
}
