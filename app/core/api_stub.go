// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"time"

	"shoal/instance"
	"shoal/peer"
	"shoal/peer/peertube"
	"shoal/player"
)

// ErrInUse says that another process holds the data folder.
var ErrInUse = errors.New("the data folder is in use")

// Service is a long job under the supervisor.
type Service struct {
	Name string
	// Serve runs until ctx ends and then returns nil. An earlier return ends the program.
	Serve func(ctx context.Context) error
}

// Error is a failure with a stable code for scripts and a sentence for people.
type Error struct {
	Code    string // lowerCamelCase: badInput, notFound, inUse, unreachable...
	Message string // what failed and what to do
	Err     error  // the cause, for the log; may be nil
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// Kind says what an address is.
type Kind string

// The kinds of addresses.
const (
	KindInstance Kind = "instance" // an instance's front page
	KindVideo    Kind = "video"    // a video's page on an instance
	KindChannel  Kind = "channel"  // a channel on an instance
	KindSwarm    Kind = "swarm"    // a magnet, an infohash or a .torrent file
	KindFile     Kind = "file"     // a media file on this machine
)

// Resolved is what an address leads to.
type Resolved struct {
	Kind     Kind
	Instance string                 // scheme://host, for instance, video and channel
	VideoID  string                 // for video
	Channel  string                 // for channel: name or name@host
	Video    *peertube.VideoDetails // for video
	Target   peer.Target            // for swarm
	Path     string                 // for file: absolute
}

// Resolve finds out what an address is: an instance's or a watch page's URL, a magnet, an
// infohash, a .torrent file or a media file. It asks the instance where there is one.
func (a *App) Resolve(ctx context.Context, arg string) (Resolved, error) {
	return Resolved{}, errors.ErrUnsupported
}

// WatchOptions adjust Watch.
type WatchOptions struct {
	Sources peer.Sources // what may carry payload; empty: the settings'
	Quality int          // height in lines: the best rendition up to it; 0: the best there is
	Dir     string       // where the files go; empty: the downloads folder
}

// Session is one video being watched.
type Session struct {
	Title string
	// Page is the watch page, "" for a magnet or a file.
	Page string
	// Video is what the instance says; nil for a magnet or a file.
	Video *peertube.VideoDetails
	// Renditions are the qualities to choose from, best first; Rendition is the index of the one
	// that plays, -1 where there is no choice.
	Renditions []peertube.Rendition
	Rendition  int
	// Main is the swarm of the picture (with its sound unless Audio is set); nil for a local file.
	Main     *peer.Swarm
	MainFile int
	// Audio is the swarm of the sound where that lies in another file; nil otherwise.
	Audio     *peer.Swarm
	AudioFile int
	// Path is the local file that plays, "" for a swarm.
	Path string
}

// Watch resolves an address and joins its swarm(s). It returns once the metadata is known. A video
// of this process's own instance is played from the swarm that seeds it.
func (a *App) Watch(ctx context.Context, arg string, o WatchOptions) (*Session, error) {
	return nil, errors.ErrUnsupported
}

// OpenVideo opens the picture's file. It is a player.Opener.
func (s *Session) OpenVideo(ctx context.Context) (player.Media, error) {
	return nil, errors.ErrUnsupported
}

// OpenAudio opens the separate sound. It is a player.Opener where HasAudio.
func (s *Session) OpenAudio(ctx context.Context) (player.Media, error) {
	return nil, errors.ErrUnsupported
}

// HasAudio reports whether the sound lies in another file.
func (s *Session) HasAudio() bool { return s.Audio != nil }

// Close ends watching. The swarms go on being seeded, or are paused where the settings say not to
// keep seeding.
func (s *Session) Close() error { return nil }

// StreamURL returns an address on the loopback, with an unguessable path, at which another player
// or a browser reads the session's picture (with the sound unless that lies in another file) until
// the session is closed.
func (a *App) StreamURL(s *Session) (string, error) { return "", errors.ErrUnsupported }

// SwarmInfo is one swarm held: live figures, and what the library knows.
type SwarmInfo struct {
	peer.Stats
	Dir     string    // the folder its files lie in
	Path    string    // its first file, "" while unknown
	Page    string    // the watch page, "" for a magnet
	Added   time.Time // when it was joined first
	Own     bool      // a video of this process's own instance
	Magnet  string
	Problem string // Stats.Problem, or why it could not be joined
}

// Swarms lists every swarm held, oldest first. It takes no engine lock and may be called twice a second.
func (a *App) Swarms() []SwarmInfo { return nil }

// Pause drops a swarm's connections until ResumeSwarm; the library remembers it.
func (a *App) Pause(infohash string) error { return errors.ErrUnsupported }

// ResumeSwarm takes a paused swarm up again.
func (a *App) ResumeSwarm(infohash string) error { return errors.ErrUnsupported }

// Remove leaves a swarm and forgets it. deleteFiles deletes what was fetched, never a file seeded
// in place. An instance's own video is refused.
func (a *App) Remove(ctx context.Context, infohash string, deleteFiles bool) error {
	return errors.ErrUnsupported
}

// Publish publishes a file on this process's instance.
func (a *App) Publish(ctx context.Context, req instance.PublishRequest, progress func(instance.Progress)) (instance.Published, error) {
	return instance.Published{}, errors.ErrUnsupported
}

// Status is a summary of the program.
type Status struct {
	Version string      `json:"version"`
	Mode    []string    `json:"mode"` // window, instance
	Swarms  []SwarmInfo `json:"swarms"`
	Queue   int         `json:"queue"`
	Disk    Disk        `json:"disk"`
}

// Disk is what is kept, in bytes. A budget of 0 is none.
type Disk struct {
	Used   int64 `json:"used"`
	Budget int64 `json:"budget"`
}

// Status returns the summary.
func (a *App) Status() Status { return Status{} }

// OnOpen registers what shows an address in the window; it is called from any goroutine when
// another start of the program hands its argument over. nil unregisters.
func (a *App) OnOpen(show func(arg string)) {}
