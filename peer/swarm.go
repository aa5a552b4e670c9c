// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"

	"github.com/anacrolix/torrent/metainfo"
)

// Swarm is one torrent this machine takes part in.
type Swarm struct{}

// File is one file of a swarm.
type File struct {
	Index  int
	Path   string // slash-separated, as in the torrent
	Length int64  // bytes
}

// Infohash returns the swarm's infohash (v1).
func (*Swarm) Infohash() metainfo.Hash { return metainfo.Hash{} }

// Name returns the info's name, or the target's until the info is known.
func (*Swarm) Name() string { return "" }

// Ready is closed when the metadata is known.
func (*Swarm) Ready() <-chan struct{} { return nil }

// Wait waits for the metadata.
func (*Swarm) Wait(context.Context) error { return errors.ErrUnsupported }

// Files lists the files; nil until the metadata is known.
func (*Swarm) Files() []File { return nil }

// Target returns what would join this swarm again, with the metadata once it is known.
func (*Swarm) Target() Target { return Target{} }

// Dir returns the folder the files lie in.
func (*Swarm) Dir() string { return "" }

// FilePath returns where a file lies on disk, "" while that is unknown.
func (*Swarm) FilePath(int) string { return "" }

// Stream opens a file for reading while it arrives. It waits for the metadata.
func (*Swarm) Stream(context.Context, int) (*Stream, error) { return nil, errors.ErrUnsupported }

// Download fetches every file, in order. It takes effect when the metadata is known.
func (*Swarm) Download() {}

// Pause drops every connection and fetches nothing until Resume.
func (*Swarm) Pause() {}

// Resume takes up work again, after Pause or after a problem such as a full disk.
func (*Swarm) Resume() {}

// Paused reports whether the swarm is paused.
func (*Swarm) Paused() bool { return false }

// Verify hashes all data on disk again.
func (*Swarm) Verify(context.Context) error { return errors.ErrUnsupported }

// Leave leaves the swarm. With deleteFiles the files that Join fetched are deleted too; a file
// that is seeded in place is never deleted.
func (*Swarm) Leave(ctx context.Context, deleteFiles bool) error { return errors.ErrUnsupported }

// Bitfield returns how much of each of n equal parts of the payload is on disk, from 0 to 1.
func (*Swarm) Bitfield(n int) []float32 { return make([]float32, n) }

// Stats returns the latest figures. It takes no engine lock.
func (*Swarm) Stats() Stats { return Stats{} }
