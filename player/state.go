// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import "time"

// State is a snapshot of what the player does.
type State struct {
	// Loading: Load runs; nothing can be shown yet. Buffering is set too.
	Loading bool
	// Loaded: there is a file; Position, Duration and the picture's size are of that file.
	Loaded bool
	// Playing: loaded, not paused and not at the end. It stays set while Buffering.
	Playing bool
	// Paused is what the person asked for by Pause.
	Paused bool
	// Buffering: playback waits for bytes, also right after a seek.
	Buffering bool
	// BufferPercent tells, while Buffering, how much of what playback waits for is there, 0 to 100.
	BufferPercent int
	// Position of the playhead; the target of a seek from the moment it is asked for.
	Position time.Duration
	// Duration of the file; 0 while unknown.
	Duration time.Duration
	// Volume in percent, 0 to 100.
	Volume int
	Muted  bool
	// Ended: the file was played to its end. Play starts it anew, Seek goes back into it.
	Ended bool
	// Width and Height in pixels the picture is meant to be shown at; 0 when there is none.
	Width, Height int
	// FramesShown counts the pictures drawn since Load (without video output: played).
	FramesShown int64
	// Err is why the file did not load or stopped playing, an *Error; nil when all is well.
	Err error
	// AudioErr is why a file's separate sound is missing while its picture plays, an *Error.
	AudioErr error
}
