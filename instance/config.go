// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"log/slog"

	"shoal/peer"
)

// Config says where an instance lives and what it may do.
type Config struct {
	// Dir is the data directory; instance.db, media/, torrents/, thumbnails/ and previews/ lie in it.
	Dir string
	// Listen is the HTTP listener's HOST:PORT. Port 0 picks one, or takes the port of the public URL
	// fixed at an earlier start.
	Listen string
	// URL is the public URL, scheme://host[:port] without a path. It is fixed at the first start.
	// Empty means the one fixed before or, in development mode, http://Listen.
	URL string
	// Dev allows http, ports, loopback and private addresses. It is refused for a public host name.
	Dev bool
	// Name is the instance's name for people, "Shoal" when empty. Version is the program's.
	Name, Version string
	// Engine seeds the published files. Nil serves without seeding.
	Engine *peer.Engine
	// Logger gets what happens; nil discards it.
	Logger *slog.Logger
	// UploadLimit and UploadLimitPerIP are those to start with; see SetUploadLimits.
	UploadLimit, UploadLimitPerIP int64
	// WatchFolder and WatchChannel are those to start with; see SetWatchFolder.
	WatchFolder, WatchChannel string
	// NotWatched are folders with the videos of others, which a watch folder must not be.
	NotWatched []string
	// FFmpeg and FFprobe are the programs' paths; empty looks them up in PATH.
	FFmpeg, FFprobe string
}

func (c *Config) defaults() {
	if c.Name == "" {
		c.Name = "Shoal"
	}
	if c.Version == "" {
		c.Version = "development"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
