// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"time"
)

var errNotReady = errors.New("federation is not ready") //nolint:gochecknoglobals // until it is

// The origins of videos.
const (
	OriginLocal  = "local"
	OriginRemote = "remote"
)

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
	return nil, 0, errNotReady
}

// Edit changes what is not nil.
type Edit struct {
	Title, Description *string
	Privacy            *Privacy
	Tags               *[]string
	// Comments allows comments or ends them.
	Comments *bool
	// As is the account that edits; it must own the video. Empty means its owner.
	As string
}

// Edit changes a local video: id is its UUID, short UUID, number or any of its URLs.
func (i *Instance) Edit(ctx context.Context, id string, e Edit) (VideoInfo, error) {
	return VideoInfo{}, errNotReady
}

// Delete deletes a local video with its files and torrents. as is the account that deletes; empty
// means the owner.
func (i *Instance) Delete(ctx context.Context, id, as string) error { return errNotReady }
