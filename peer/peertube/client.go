// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"context"
	"log/slog"
	"time"
)

// Options are the settings of a Client. The zero value is usable.
type Options struct {
	// UserAgent is sent with each request; default "Shoal".
	UserAgent string
	// Timeout bounds one call in all: waiting for a turn, redirects, retries
	// and the body. Default 20 s.
	Timeout time.Duration
	// MaxBytes bounds an API answer after decompression. Default 4 MiB.
	MaxBytes int
	// MaxConcurrent bounds the calls at one time; others wait. Default 8.
	MaxConcurrent int
	// Dev lets answers name private and loopback addresses too. See Client.
	Dev bool
	// Logger gets retries and failures. Default: discarded.
	Logger *slog.Logger
}

// Client asks any PeerTube-compatible instance. It is safe for concurrent use.
type Client struct{ opts Options }

// New returns a client.
func New(o Options) *Client { return &Client{opts: o} }

// Close ends idle connections.
func (c *Client) Close() {}

// Config returns what the instance says about itself.
func (c *Client) Config(ctx context.Context, instance string) (Config, error) { return Config{}, nil }

// ListOptions page and sort a list.
type ListOptions struct {
	// Start is the index of the first entry, Count the entries at most
	// (1 to 100; 0 is the instance's default, 15).
	Start, Count int
	// Sort is a PeerTube sort word with "-" for descending: "-publishedAt",
	// "-views", "name"; empty is the instance's default.
	Sort string
	// Local leaves out other instances' videos (isLocal=true).
	Local bool
}

// Videos returns one page of the instance's videos.
func (c *Client) Videos(ctx context.Context, instance string, o ListOptions) (VideoList, error) {
	return VideoList{}, nil
}

// Search returns one page of the videos that match query.
func (c *Client) Search(ctx context.Context, instance, query string, o ListOptions) (VideoList, error) {
	return VideoList{}, nil
}

// Video returns one video. id is a number, UUID or short UUID.
func (c *Client) Video(ctx context.Context, instance, id string) (VideoDetails, error) {
	return VideoDetails{}, nil
}

// Account returns an account: "name" or "name@host".
func (c *Client) Account(ctx context.Context, instance, name string) (Account, error) {
	return Account{}, nil
}

// AccountVideos returns one page of an account's videos.
func (c *Client) AccountVideos(ctx context.Context, instance, name string, o ListOptions) (VideoList, error) {
	return VideoList{}, nil
}

// Channel returns a channel: "name" or "name@host".
func (c *Client) Channel(ctx context.Context, instance, name string) (Channel, error) {
	return Channel{}, nil
}

// ChannelVideos returns one page of a channel's videos.
func (c *Client) ChannelVideos(ctx context.Context, instance, name string, o ListOptions) (VideoList, error) {
	return VideoList{}, nil
}

// Get returns the bytes at ref, at most maxBytes of them (thumbnails,
// torrents). ref is a path on the instance or an absolute URL that the
// instance's answers named.
func (c *Client) Get(ctx context.Context, instance, ref string, maxBytes int) ([]byte, error) {
	return nil, nil
}
