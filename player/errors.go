// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"errors"

	"shoal/player/mpv"
)

// ErrNoLibrary is the reason New fails on a machine without libmpv; the error that wraps it
// says what to install.
var ErrNoLibrary = mpv.ErrNoLibrary

// ErrClosed is the answer of a player after Close.
var ErrClosed = errors.New("the player is closed")

// Kind says which sort of trouble an Error is.
type Kind string

// The kinds of trouble.
const (
	KindNotMedia   Kind = "notMedia"   // the bytes are no video or sound
	KindStream     Kind = "stream"     // the bytes did not come
	KindOutput     Kind = "output"     // neither picture nor sound could be put out
	KindPlayback   Kind = "playback"   // anything else libmpv reports
	KindNoSound    Kind = "noSound"    // the separate sound file cannot be played
	KindNothing    Kind = "nothing"    // a file with neither picture nor sound
	KindSuperseded Kind = "superseded" // Stop or another Load came first
)

// Error is trouble with one file. Its text is one sentence for the person who watches.
type Error struct {
	Kind Kind
	// Text is what Error returns.
	Text string
	// Cause is for the log; it may be nil.
	Cause error
}

// Error returns the text for the person who watches.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }
