// SPDX-License-Identifier: AGPL-3.0-or-later

// Package player plays one video or sound file at a time from a stream of bytes that may
// still be arriving. It knows neither where the bytes come from nor any window: app hands it
// the streams, player/surface shows its pictures. Only app and player/... import it.
package player

import (
	"context"
	"log/slog"
	"time"
)

// Options of a player.
type Options struct {
	// NullVideo plays without putting out a picture: for a machine without a display.
	NullVideo bool
	// NullAudio plays without putting out sound.
	NullAudio bool
	// Logger hears libmpv's warnings; nil for silence.
	Logger *slog.Logger
}

// Player plays one file at a time. All methods may be called from any goroutine; only Load
// and Close wait.
type Player struct{}

// New starts a player. Without libmpv on the machine the error is ErrNoLibrary and says what
// to install.
func New(o Options) (*Player, error) { return nil, ErrNoLibrary }

// Load replaces what plays by the file that video opens, with the sound of the file that
// audio opens if that is not nil, and starts playing. It returns once playback can start, or
// why it cannot (*Error). It may take as long as the first bytes take: do not call it
// on a window's goroutine. When ctx ends first, loading stops and ctx's error is returned; ctx
// has no hold on playback afterwards. Stop, Close and another Load end it too.
func (p *Player) Load(ctx context.Context, video, audio Opener) error { return nil }

// Play goes on after Pause; at the end of the file it starts anew.
func (p *Player) Play() {}

// Pause holds playback.
func (p *Player) Pause() {}

// Toggle plays when paused or at the end and pauses when playing.
func (p *Player) Toggle() {}

// Seek moves the playhead. While a slider is dragged, exact is false: the picture jumps to the key
// frame nearby. On release it is true.
func (p *Player) Seek(pos time.Duration, exact bool) {}

// SetVolume sets the volume in percent; values outside 0 to 100 are clamped.
func (p *Player) SetVolume(percent int) {}

// SetMuted turns the sound off or on.
func (p *Player) SetMuted(muted bool) {}

// Stop lets go of the file. It also ends a Load in progress.
func (p *Player) Stop() {}

// Close stops playing and frees everything. It is safe to call twice.
func (p *Player) Close() error { return nil }

// State returns what the player does now. It never waits.
func (p *Player) State() State { return State{} }

// Watch returns a channel that gets a signal after State changed: at once for most changes, four
// times a second for the playhead. Signals that are not taken merge into one. Call stop when done; the channel
// is never closed.
func (p *Player) Watch() (changed <-chan struct{}, stop func()) { return nil, func() {} }
