// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"image"
	"log/slog"
	"sync"
	"sync/atomic"

	"shoal/player/mpv"
)

// Painter takes a player's pictures. Its methods are called by the player's render goroutine
// and must not wait for the goroutine that calls Player's methods.
type Painter interface {
	// Next returns the memory to draw the next picture in: its bounds begin at 0,0 and the picture
	// fills them. Nil means that no picture is wanted now.
	Next() *image.RGBA
	// Drawn gives back what Next returned; ok says that it holds a whole picture.
	Drawn(img *image.RGBA, ok bool)
}

// frames is the goroutine that draws, apart from the event loop as libmpv demands.
type frames struct {
	render *mpv.Render
	log    *slog.Logger
	shown  atomic.Int64
	redraw chan struct{}
	quit   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	painter Painter
}

func newFrames(r *mpv.Render, log *slog.Logger) *frames {
	return &frames{
		render: r, log: log,
		redraw: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

func (f *frames) start() { go f.run() }

// stop ends the goroutine and waits for it. Call it once.
func (f *frames) stop() {
	close(f.quit)
	<-f.done
}

func (f *frames) count() int64 { return f.shown.Load() }
func (f *frames) reset()       { f.shown.Store(0) }

func (f *frames) run() {
	defer close(f.done)
	for {
		fresh := false
		select {
		case <-f.quit:
			return
		case <-f.render.Updates():
			if fresh = f.render.Pending(); !fresh {
				continue
			}
		case <-f.redraw:
		}
		if f.draw() {
			if fresh {
				f.shown.Add(1)
			}
		} else if fresh {
			if err := f.render.Skip(); err != nil {
				f.log.Debug("skipping a picture failed", "error", err)
			}
		}
	}
}

// draw gives the painter the current picture; false if it wants none.
func (f *frames) draw() bool {
	f.mu.Lock()
	painter := f.painter
	f.mu.Unlock()
	if painter == nil {
		return false
	}
	img := painter.Next()
	if img == nil {
		return false
	}
	size := img.Rect.Size()
	err := f.render.Draw(img.Pix, size.X, size.Y, img.Stride)
	if err != nil {
		f.log.Debug("drawing a picture failed", "error", err)
	}
	painter.Drawn(img, err == nil)
	return err == nil
}

func (f *frames) setPainter(p Painter) {
	f.mu.Lock()
	f.painter = p
	f.mu.Unlock()
}

// Paint gives the pictures to painter from now on, and to nobody after stop. One painter has
// them at a time: the last. After stop, at most one call to it may still be in progress. Without a
// painter playback goes on unseen. With NullVideo it does nothing.
func (p *Player) Paint(painter Painter) (stop func()) {
	f := p.frames
	if f == nil {
		return func() {}
	}
	f.setPainter(painter)
	p.Redraw()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.painter == painter {
			f.painter = nil
		}
	}
}

// Redraw makes the player draw the current picture once more, for a painter whose size changed.
func (p *Player) Redraw() {
	if p.frames == nil {
		return
	}
	select {
	case p.frames.redraw <- struct{}{}:
	default:
	}
}
