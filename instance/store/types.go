// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Hash is a v1 infohash. It is 40 hex digits in JSON.
type Hash [20]byte

// String returns the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 2*len(h) {
		return fmt.Errorf("reading infohash: %d characters instead of %d", len(b), 2*len(h))
	}
	if _, err := hex.Decode(h[:], b); err != nil {
		return fmt.Errorf("reading infohash: %w", err)
	}
	return nil
}

// Privacy says who may see a video. The numbers are PeerTube's.
type Privacy int

// The privacies in use.
const (
	Public   Privacy = 1
	Unlisted Privacy = 2
	Private  Privacy = 3
)

// State of a video. The numbers are PeerTube's.
type State int

// StatePublished is the one state of a stored video: what is not published yet is a Draft.
const StatePublished State = 1

// Account is somebody who publishes.
type Account struct {
	ID          uint64    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"displayName"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
}

// Channel is what videos are published in. It belongs to one account.
type Channel struct {
	ID          uint64    `json:"id"`
	AccountID   uint64    `json:"accountId"`
	Name        string    `json:"name"`
	DisplayName string    `json:"displayName"`
	Description string    `json:"description,omitempty"`
	Support     string    `json:"support,omitempty"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
}

// Torrent is a file's torrent under one name.
type Torrent struct {
	Infohash Hash `json:"infohash"`
	// File is the .torrent's name in torrents/.
	File string `json:"file"`
}

// File is one rendition of a video.
type File struct {
	ID uint64 `json:"id"`
	// Name is the file's name in media/.
	Name string `json:"name"`
	// Resolution is the short side in pixels; Width and Height are in pixels.
	Resolution int `json:"resolution"`
	Width      int `json:"width"`
	Height     int `json:"height"`
	// FPS is frames per second, rounded.
	FPS int `json:"fps"`
	// Size is in bytes. Size and ModTime tell whether the file is as it was hashed.
	Size       int64     `json:"size"`
	ModTime    time.Time `json:"modTime"`
	VideoCodec string    `json:"videoCodec"`
	// AudioCodec is empty without sound.
	AudioCodec string `json:"audioCodec,omitempty"`
	// MediaType is video/mp4 or video/webm.
	MediaType string `json:"mediaType"`
	Torrent
	// Old are the torrents before renames; they are tracked and seeded still.
	Old []Torrent `json:"old,omitempty"`
}

// Torrents returns the file's torrent and the ones it had before.
func (f File) Torrents() []Torrent { return append([]Torrent{f.Torrent}, f.Old...) }

// Video is a published video. What a Store hands out is shared: change a copy.
type Video struct {
	ID          uint64 `json:"id"`
	UUID        string `json:"uuid"` // v4, lower case
	ChannelID   uint64 `json:"channelId"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Support is empty where the channel's applies.
	Support  string   `json:"support,omitempty"`
	Category Term     `json:"category,omitzero"`
	Licence  Term     `json:"licence,omitzero"`
	Language Term     `json:"language,omitzero"`
	Tags     []string `json:"tags,omitempty"`
	NSFW     bool     `json:"nsfw,omitempty"`
	// CommentsDisabled closes the video for comments.
	CommentsDisabled bool    `json:"commentsDisabled,omitempty"`
	Privacy          Privacy `json:"privacy"`
	State            State   `json:"state"`
	// Duration is in seconds.
	Duration float64 `json:"duration"`
	// Thumbnail and Preview are names in thumbnails/ and previews/.
	Thumbnail string    `json:"thumbnail"`
	Preview   string    `json:"preview"`
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	Published time.Time `json:"published"`
	Views     int64     `json:"views"`
	Files     []File    `json:"files"` // best resolution first
}

// Served reports whether the video is answered for to somebody who knows its address.
func (v *Video) Served() bool {
	return v.State == StatePublished && (v.Privacy == Public || v.Privacy == Unlisted)
}

// Listed reports whether the video shows in lists and searches.
func (v *Video) Listed() bool { return v.State == StatePublished && v.Privacy == Public }

// CommentsPolicy says who may comment.
func (v *Video) CommentsPolicy() CommentsPolicy {
	if v.CommentsDisabled {
		return CommentsDisabled
	}
	return CommentsEnabled
}

// Draft is a publication in progress. Its files are deleted when it does not come to an end.
type Draft struct {
	UUID    string    `json:"uuid"`
	Started time.Time `json:"started"`
	// Paths are relative to the data directory.
	Paths []string `json:"paths"`
	// Source is the file that is published; nil in drafts that only delete.
	Source *Source `json:"source,omitempty"`
}
