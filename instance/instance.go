// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"log/slog"

	"shoal/peer"
)

// Config says where an instance lives and what it may do.
type Config struct {
	// Dir is the data directory; instance.db, media/, torrents/ and images/ lie in it.
	Dir string
	// Listen is the HTTP listener's HOST:PORT. Port 0 picks one, or takes the port of the public URL
	// fixed at an earlier start.
	Listen string
	// URL is the public URL, scheme://host[:port] without a path. It is fixed at the first start.
	// Empty means the one fixed before or, in development mode, http://Listen.
	URL string
	// Dev allows http, ports, loopback and private addresses. It is refused for a public host name.
	Dev bool
	// Name is the instance's name for people, "Shoal" when empty.
	Name string
	// Engine seeds the published files. Nil serves without seeding.
	Engine *peer.Engine
	// Logger gets what happens; nil discards it.
	Logger *slog.Logger
	// FFmpeg and FFprobe are the programs' paths; empty looks them up in PATH.
	FFmpeg, FFprobe string
}

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
	// File is the path of a video file: mp4, m4v, mov with browser codecs, or webm.
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

// Local is a video of this very instance, on this machine's disk.
type Local struct {
	UUID, ShortUUID, Title string
	Infohash               string
	Magnet                 string
	// Path is the media file.
	Path string
	// Swarm seeds the file; nil when the file is missing or changed, or without an engine.
	Swarm *peer.Swarm
}

// Instance is a running instance.
type Instance struct{}

// Open opens the data directory's store, binds the listener and creates the account root with the
// channel root_channel on a first start. Serve answers requests afterwards. Its errors are
// sentences for a person: folder in use, folder read-only, port taken, other public URL.
func Open(ctx context.Context, cfg Config) (*Instance, error) {
	return nil, errors.New("instance mode is not built yet")
}

// Serve seeds what was published before and answers requests until ctx ends; then it finishes
// requests in progress for a few seconds and closes the store. It returns nil when ctx ended it.
func (i *Instance) Serve(ctx context.Context) error { return nil }

// Ready is closed once every endpoint answers.
func (i *Instance) Ready() <-chan struct{} { return nil }

// Close releases the listener and the store of an instance that Serve never ran on. After Serve it
// does nothing.
func (i *Instance) Close() error { return nil }

// URL is the public URL, without a slash at the end.
func (i *Instance) URL() string { return "" }

// Listen is the listener's address, HOST:PORT.
func (i *Instance) Listen() string { return "" }

// ActorURL is the instance actor's id.
func (i *Instance) ActorURL() string { return "" }

// AccountURL is the id of the account root.
func (i *Instance) AccountURL() string { return "" }

// ChannelURL is the id of the channel root_channel.
func (i *Instance) ChannelURL() string { return "" }

// Publish publishes one file and returns once it is served, tracked and seeded. It may be called
// while Serve runs. progress may be nil; it is called from one goroutine at a time.
func (i *Instance) Publish(ctx context.Context, req PublishRequest, progress func(Progress)) (Published, error) {
	return Published{}, nil
}

// Local finds a video of this instance by UUID, short UUID or infohash, also one it had before a
// rename.
func (i *Instance) Local(id string) (Local, bool) { return Local{}, false }
