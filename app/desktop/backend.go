// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"io"
	"time"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/instance"
	"shoal/peer"
	"shoal/peer/peertube"
	"shoal/player"
)

// program is what the window asks of the program behind it. core.App is one, through appProgram.
type program interface {
	sharer
	// Resolve finds out what an address is.
	Resolve(ctx context.Context, arg string) (core.Resolved, error)
	// Open joins the swarms of a video that Resolve read, at a quality of at most height lines (0: the best).
	Open(ctx context.Context, r core.Resolved, height int) (viewing, error)
}

// sharer is what the page about sharing asks. Its methods may wait for the engine, the disk or the
// network: they are not for the window's goroutine.
type sharer interface {
	swarmKeeper
	supporter
	reacher
	// Limits are those in force now.
	Limits() core.Limits
	// DiskProblem says why the disk cannot be kept to the settings, "" where it is.
	DiskProblem() string
}

// swarmKeeper lists and changes the swarms held.
type swarmKeeper interface {
	Swarms() []core.SwarmInfo
	SetPinned(infohash string, pinned bool) error
	Pause(infohash string) error
	ResumeSwarm(infohash string) error
	Remove(ctx context.Context, infohash string, deleteFiles bool) error
}

// settings are the settings in use; *config.Store is one.
type settings interface {
	Get() config.Config
	Update(change func(*config.Config)) error
	Path() string
}

// publisher is the instance of this process; *instance.Instance is one, through appPublisher.
type publisher interface {
	federation
	URL() string
	// StartPublication begins to publish a file; with ctx it is given up.
	StartPublication(ctx context.Context, req instance.PublishRequest) publication
	// Publications are those that have not ended, whoever began them.
	Publications() []publication
	// WatchFolder is the folder that is published from, and how it is.
	WatchFolder() instance.WatchFolder
}

// federation is what an instance does in the fediverse. Its methods may wait for the disk or the
// network: they are not for the window's goroutine.
type federation interface {
	Videos(ctx context.Context, q instance.VideoQuery) (videos []instance.VideoInfo, total int, err error)
	Edit(ctx context.Context, id string, e instance.Edit) (instance.VideoInfo, error)
	Delete(ctx context.Context, id, as string) error
	Comments(ctx context.Context, target string) ([]instance.CommentInfo, error)
	DeleteComment(ctx context.Context, commentID, as string) error

	Follow(ctx context.Context, target string, wait time.Duration) (instance.FollowInfo, error)
	Unfollow(ctx context.Context, target string) error
	RetryFollow(ctx context.Context, target string) error
	Following() ([]instance.FollowInfo, error)
	Followers() ([]instance.FollowInfo, error)
	Approve(ctx context.Context, target string) error
	RejectFollower(ctx context.Context, target string) error

	Policy() instance.Policy
	SetPolicy(ctx context.Context, change instance.PolicyChange) (instance.Policy, error)

	blocker

	Queue() ([]instance.QueueHost, error)
	QueueDepth() int
	RetryQueue(host string) error
	GivenUp(most int) ([]instance.GivenUp, error)
	Refusals(max int) ([]instance.Refusal, error)
}

// blocker keeps whom an instance has nothing to do with.
type blocker interface {
	Blacklist() []string
	BlacklistAdd(host string) error
	BlacklistRemove(host string) error
	Blocks() ([]instance.BlockInfo, error)
	Block(ctx context.Context, host, reason string) error
	Unblock(ctx context.Context, host string) error
	ImportBlocks(ctx context.Context, r io.Reader) (instance.BlockImport, error)
	ExportBlocks(w io.Writer, format string) error
	SubscribeBlocks(ctx context.Context, url string) (instance.BlockImport, error)
	UnsubscribeBlocks(ctx context.Context, url string) error
	BlockSubscriptions() ([]instance.BlockSubscription, error)
}

var _ publisher = appPublisher{}

// viewing is one video being watched, as the watch page needs it. Its methods but About may wait for
// the engine: they are not for the window's goroutine.
type viewing interface {
	About() about
	// OpenVideo opens the picture's file, OpenAudio the sound where that lies in another one.
	OpenVideo(ctx context.Context) (player.Media, error)
	OpenAudio(ctx context.Context) (player.Media, error)
	// Figures are of the swarm of the picture, the sound's added.
	Figures() figures
	// Strip says for each of n equal parts of the file how much of it is on disk, 0 to 1.
	Strip(n int) []float32
	// StreamURL is where another player of this machine reads the file.
	StreamURL() (string, error)
	// Close ends watching; the swarms go on as the settings say.
	Close() error
}

// about is what stays the same while a video is watched.
type about struct {
	Title       string
	Page        string // "" for a magnet or a file
	Channel     string // for people; "" where it is unknown
	ChannelPage string
	Description string
	Facts       string // views and age
	Heights     []quality
	Chosen      int // index in Heights, -1 where there is no choice
	HasAudio    bool
	Local       bool // a file without a swarm
	Duration    time.Duration
}

// quality is a rendition to choose.
type quality struct {
	Label  string
	Height int
}

// figures are live figures of what is watched.
type figures struct {
	peer.Stats
	Swarm bool          // there is a swarm
	Ahead time.Duration // on disk from the playhead on
}

// qualities names renditions for people.
func qualities(rs []peertube.Rendition) []quality {
	out := make([]quality, 0, len(rs))
	for _, r := range rs {
		label := tr("Sound only")
		if !r.AudioOnly {
			label = tr("%dp", r.Height)
			if r.FPS > 30 {
				label = tr("%[1]dp %[2]d", r.Height, r.FPS)
			}
		}
		if r.Size > 0 {
			label += " · " + formatBytes(r.Size)
		}
		out = append(out, quality{Label: label, Height: r.Height})
	}
	return out
}
