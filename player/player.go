// SPDX-License-Identifier: AGPL-3.0-or-later

// Package player plays one video or sound file at a time from a stream of bytes that may
// still be arriving. It knows neither where the bytes come from nor any window: app hands it
// the streams, player/surface shows its pictures. Only app and player/... import it.
package player

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"shoal/player/mpv"
)

// closeTimeout bounds how long Close waits for a Media that breaks its word on Cancel.
const closeTimeout = 15 * time.Second

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
type Player struct {
	handle *mpv.Handle
	log    *slog.Logger
	frames *frames // nil without video output
	reads  atomic.Int64

	quit     chan struct{}
	quitOnce sync.Once
	done     chan struct{}
	closeErr error // set before done is closed

	mu       sync.Mutex
	closed   bool
	lastID   uint64
	session  *session // nil when nothing is loaded or loading
	props    properties
	paused   bool
	volume   int
	muted    bool
	seeks    seeks
	state    State // what State returns
	notified State // what watchers were last told of
	watchers map[chan struct{}]struct{}
}

// New starts a player. Without libmpv on the machine the error is ErrNoLibrary and says what
// to install.
func New(o Options) (*Player, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	handle, err := mpv.New(mpvOptions(o))
	if err != nil {
		return nil, fmt.Errorf("starting player: %w", err)
	}
	p := &Player{
		handle:   handle,
		log:      log,
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
		volume:   100,
		watchers: map[chan struct{}]struct{}{},
	}
	p.state = State{Volume: p.volume}
	if err := p.prepare(o); err != nil {
		return nil, errors.Join(fmt.Errorf("starting player: %w", err), handle.Close())
	}
	if p.frames != nil {
		p.frames.start()
	}
	go p.run()
	return p, nil
}

func (p *Player) prepare(o Options) error {
	if err := p.handle.LogLevel("warn"); err != nil {
		return err
	}
	if err := p.handle.AddProtocol(protocol, p.openURI); err != nil {
		return err
	}
	if err := observe(p.handle); err != nil {
		return err
	}
	if o.NullVideo {
		return nil
	}
	render, err := p.handle.NewRender()
	if err != nil {
		return err
	}
	p.frames = newFrames(render, p.log)
	return nil
}

// Load replaces what plays by the file that video opens, with the sound of the file that
// audio opens if that is not nil, and starts playing. It returns once playback can start, or
// why it cannot (*Error). It may take as long as the first bytes take: do not call it
// on a window's goroutine. When ctx ends first, loading stops and ctx's error is returned; ctx
// has no hold on playback afterwards. Stop, Close and another Load end it too.
func (p *Player) Load(ctx context.Context, video, audio Opener) error {
	if video == nil {
		return errors.New("loading: no opener")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("loading: %w", err)
	}
	s, err := p.begin(video, audio)
	if err != nil {
		return err
	}
	select {
	case <-s.ready:
		return s.loadErr
	case <-ctx.Done():
		p.stop(s)
		return fmt.Errorf("loading: %w", ctx.Err())
	}
}

// Play goes on after Pause; at the end of the file it starts anew, after a failure it tries again where
// it stopped.
func (p *Player) Play() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setPaused(false)
	switch st := p.state; {
	case st.Err != nil:
		p.reload(st.Position)
	case st.Ended:
		p.seek(0, true)
	}
	p.changed()
}

// Pause holds playback.
func (p *Player) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setPaused(true)
	p.changed()
}

// Toggle plays when paused or at the end and pauses when playing.
func (p *Player) Toggle() {
	p.mu.Lock()
	playing := p.state.Playing || p.state.Loading && !p.paused
	p.mu.Unlock()
	if playing {
		p.Pause()
		return
	}
	p.Play()
}

// Seek moves the playhead. While a slider is dragged, exact is false: the picture jumps to the key
// frame nearby. On release it is true. A Seek during Load is where playback starts.
func (p *Player) Seek(pos time.Duration, exact bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seek(pos, exact)
	p.changed()
}

// SetVolume sets the volume in percent; values outside 0 to 100 are clamped.
func (p *Player) SetVolume(percent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.volume = min(max(percent, 0), 100)
	p.set("volume", fmt.Sprint(p.volume))
	p.changed()
}

// SetMuted turns the sound off or on.
func (p *Player) SetMuted(muted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted = muted
	p.set("mute", yesNo(muted))
	p.changed()
}

// Stop lets go of the file. It also ends a Load in progress.
func (p *Player) Stop() { p.stop(nil) }

// Close stops playing and frees everything. It is safe to call twice.
func (p *Player) Close() error {
	p.Stop()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.quitOnce.Do(func() { close(p.quit) })
	p.handle.Wakeup()
	select {
	case <-p.done:
		return p.closeErr
	case <-time.After(closeTimeout):
		return errors.New("closing player: libmpv did not end in time")
	}
}

// State returns what the player does now. It never waits.
func (p *Player) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.state
	if p.frames != nil {
		st.FramesShown = p.frames.count()
	}
	return st
}

// Watch returns a channel that gets a signal after State changed: at once for most changes, four
// times a second for the playhead. Signals that are not taken merge into one. Call stop when done; the channel
// is never closed.
func (p *Player) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers[c] = struct{}{}
	return c, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, c)
	}
}
