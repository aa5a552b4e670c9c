// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"context"
	"io"
)

// Media is one file that plays: its bytes may still be on their way.
//
// Read and Seek are called by one goroutine at a time, Cancel by any goroutine at any time.
// A Read waits for bytes; Cancel ends a Read in progress and lets further ones fail.
type Media interface {
	io.ReadSeekCloser
	// Size is the length of the whole file in bytes.
	Size() int64
	// Cancel ends a Read in progress with an error and makes further Reads fail.
	Cancel()
}

// Opener opens a file anew, at its beginning. The player calls it more than once: a seek
// away from bytes that do not come closes one Media and opens another. It returns soon after
// ctx ends; ctx also ends when the player lets go of the file.
type Opener func(ctx context.Context) (Media, error)
