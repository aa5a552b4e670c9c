// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"log/slog"

	"github.com/anacrolix/torrent/metainfo"

	"shoal/peer/webrtc"
)

// Config is what an Engine needs to start.
type Config struct {
	Dir           string        // files of joined swarms
	PiecesDB      string        // which pieces are verified; may be deleted at any time
	ListenHost    string        // address for TCP and µTP; empty: all
	Port          int           // TCP and µTP port; 0 picks one
	Sources       Sources       // what may carry payload; empty: all
	WebRTC        webrtc.Config // the transport's settings
	ReadAhead     int64         // bytes a stream fetches ahead of its playhead; 0: 16 MiB
	UploadLimit   int64         // bytes per second; 0: none
	DownloadLimit int64         // bytes per second; 0: none
	DHT           bool          // find peers by the DHT too (BEP 5)
	Logger        *slog.Logger
}

// Engine is the torrent engine. There is one in a process.
type Engine struct{}

// New starts an engine. Close it, or let Serve do that.
func New(Config) (*Engine, error) { return nil, errors.ErrUnsupported }

// Serve runs until ctx ends, then closes the engine.
func (*Engine) Serve(ctx context.Context) error { <-ctx.Done(); return nil }

// Close leaves all swarms, keeping their files, and frees every port.
func (*Engine) Close() error { return nil }

// Port returns the TCP and µTP port, 0 where neither is open.
func (*Engine) Port() int { return 0 }

// JoinOptions adjust one swarm.
type JoinOptions struct {
	Sources Sources // what may carry payload in this swarm; empty: the engine's
	Dir     string  // where its files go; empty: the engine's
	Paused  bool    // do not connect to anyone until Resume
}

// Join joins a swarm. For an infohash that is held already it returns the same Swarm, with the
// target's trackers and WebSeeds added. It does not wait for the metadata: see Swarm.Wait.
func (*Engine) Join(context.Context, Target, JoinOptions) (*Swarm, error) {
	return nil, errors.ErrUnsupported
}

// SeedFile is a complete file that is seeded where it lies.
type SeedFile struct {
	MetaInfo *metainfo.MetaInfo
	Path     string
	Trackers []string
	Paused   bool
}

// Seed seeds a file in place: no copy, and no hash while its size and mtime are as recorded.
func (*Engine) Seed(context.Context, SeedFile) (*Swarm, error) { return nil, errors.ErrUnsupported }

// Swarms returns the swarms held, oldest first.
func (*Engine) Swarms() []*Swarm { return nil }

// Swarm returns the swarm with that infohash.
func (*Engine) Swarm(metainfo.Hash) (*Swarm, bool) { return nil, false }
