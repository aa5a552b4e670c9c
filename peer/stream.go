// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"io"
)

// Stream reads one file of a swarm while it arrives: an io.ReadSeekCloser whose position drives
// what is fetched first.
type Stream struct{}

var _ io.ReadSeekCloser = (*Stream)(nil)

// Read blocks until the next bytes are verified, the stream is cancelled or closed.
func (*Stream) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Seek moves the playhead.
func (*Stream) Seek(int64, int) (int64, error) { return 0, errors.ErrUnsupported }

// Close frees the stream and unblocks a Read in progress.
func (*Stream) Close() error { return nil }

// Cancel unblocks a Read in progress; further Reads fail.
func (*Stream) Cancel() {}

// Size returns the file's length in bytes.
func (*Stream) Size() int64 { return 0 }

// SetReadAhead sets how many bytes ahead of the playhead are fetched.
func (*Stream) SetReadAhead(int64) {}
