// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "time"

// Term is a category, licence or language: its id and its label. The zero Term is unknown.
type Term struct {
	ID    string `json:"id,omitempty"`
	Label string `json:"label,omitempty"`
}

// CommentsPolicy says who may comment. The numbers are PeerTube's.
type CommentsPolicy int

// The comments policies.
const (
	CommentsEnabled          CommentsPolicy = 1
	CommentsDisabled         CommentsPolicy = 2
	CommentsRequiresApproval CommentsPolicy = 3
)

// RemoteFile is one rendition of a remote video. URLs are at the origin.
type RemoteFile struct {
	Number uint64 `json:"number"`
	// Resolution is the short side in pixels, 0 for sound alone; FPS is -1 where it is unknown.
	Resolution int `json:"resolution"`
	Width      int `json:"width,omitempty"`
	Height     int `json:"height,omitempty"`
	FPS        int `json:"fps,omitempty"`
	// Size is in bytes.
	Size       int64  `json:"size"`
	MediaType  string `json:"mediaType"`
	URL        string `json:"url,omitempty"`
	TorrentURL string `json:"torrentUrl,omitempty"`
	Magnet     string `json:"magnet,omitempty"`
	// Infohash is 40 hex digits.
	Infohash    string `json:"infohash,omitempty"`
	MetadataURL string `json:"metadataUrl,omitempty"`
	Audio       bool   `json:"audio,omitempty"`
	Video       bool   `json:"video,omitempty"`
}

// RemotePlaylist is a remote video as HLS.
type RemotePlaylist struct {
	Number      uint64 `json:"number"`
	MasterURL   string `json:"masterUrl"`
	SegmentsURL string `json:"segmentsUrl,omitempty"`
	// Infohashes are those of browsers' peer-to-peer loaders, 40 hex digits each.
	Infohashes []string     `json:"infohashes,omitempty"`
	Files      []RemoteFile `json:"files,omitempty"`
}

// RemoteVideo is a video of another instance.
type RemoteVideo struct {
	// Number is from the same sequence as local videos'.
	Number uint64 `json:"number"`
	// ID is its ActivityPub id, Host that id's host[:port].
	ID   string `json:"id"`
	UUID string `json:"uuid"` // lower case
	Host string `json:"host"`
	// Account and Channel are actor ids.
	Account string `json:"account"`
	Channel string `json:"channel"`

	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Support     string `json:"support,omitempty"`
	// Page is for people, EmbedURL for frames; Thumbnail and Preview are pictures at the origin.
	Page      string `json:"page,omitempty"`
	EmbedURL  string `json:"embedUrl,omitempty"`
	Thumbnail string `json:"thumbnail,omitempty"`
	Preview   string `json:"preview,omitempty"`

	Category Term     `json:"category,omitzero"`
	Licence  Term     `json:"licence,omitzero"`
	Language Term     `json:"language,omitzero"`
	Tags     []string `json:"tags,omitempty"`
	Trackers []string `json:"trackers,omitempty"`

	Privacy         Privacy        `json:"privacy"`
	NSFW            bool           `json:"nsfw,omitempty"`
	Live            bool           `json:"live,omitempty"`
	DownloadEnabled bool           `json:"downloadEnabled,omitempty"`
	WaitTranscoding bool           `json:"waitTranscoding,omitempty"`
	CommentsPolicy  CommentsPolicy `json:"commentsPolicy,omitempty"`
	// AspectRatio is width / height, 0 where it is unknown. Duration is in seconds.
	AspectRatio float64 `json:"aspectRatio,omitempty"`
	Duration    int     `json:"duration"`

	// The counts as the origin last told them.
	Views    int64 `json:"views"`
	Likes    int64 `json:"likes"`
	Dislikes int64 `json:"dislikes"`
	Viewers  int64 `json:"viewers,omitempty"`

	LikesURL    string `json:"likesUrl,omitempty"`
	DislikesURL string `json:"dislikesUrl,omitempty"`
	SharesURL   string `json:"sharesUrl,omitempty"`
	CommentsURL string `json:"commentsUrl,omitempty"`
	ChaptersURL string `json:"chaptersUrl,omitempty"`

	Created   time.Time `json:"created,omitzero"`
	Published time.Time `json:"published"`
	Updated   time.Time `json:"updated"`
	// Fetched is when it was last read from its origin.
	Fetched time.Time `json:"fetched,omitzero"`
	// OriginallyPublished is nil where the video is not older than its publication.
	OriginallyPublished *time.Time `json:"originallyPublished,omitempty"`

	Files     []RemoteFile     `json:"files,omitempty"`
	Playlists []RemotePlaylist `json:"playlists,omitempty"`
	// Sources are the ids of the actors that brought it: announcers, its account, its channel.
	Sources []string `json:"sources,omitempty"`
}
