// SPDX-License-Identifier: AGPL-3.0-or-later

package surface

import (
	"image"
	"sync"
	"time"
)

// How the surface tells that nobody sees it: a picture that was announced is not fetched for
// unseenAfter. From then on one is drawn every probeEvery, to notice when it is seen again.
const (
	unseenAfter = time.Second
	probeEvery  = 500 * time.Millisecond
)

// buffers are three pictures: one is on the screen, one is ready, one is being drawn.
type buffers struct {
	mu       sync.Mutex
	size     image.Point // of pictures to draw
	front    *image.RGBA // on the screen
	ready    *image.RGBA // drawn and not fetched; nil when it was
	spare    []*image.RGBA
	waiting  time.Time // since when an announced picture is not fetched; zero when none
	lastDraw time.Time
	painted  int64
}

// resize sets the size of the next pictures; it says whether that is a change.
func (b *buffers) resize(size image.Point) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size == size {
		return false
	}
	b.size = size
	return true
}

// next returns memory to draw in, or nil when no picture is wanted now.
func (b *buffers) next(now time.Time) *image.RGBA {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size.X <= 0 || b.size.Y <= 0 {
		return nil
	}
	unseen := !b.waiting.IsZero() && now.Sub(b.waiting) > unseenAfter
	if unseen && now.Sub(b.lastDraw) < probeEvery {
		return nil
	}
	b.lastDraw = now
	for len(b.spare) > 0 {
		img := b.spare[len(b.spare)-1]
		b.spare = b.spare[:len(b.spare)-1]
		if img.Rect.Size() == b.size {
			return img
		}
	}
	return image.NewRGBA(image.Rectangle{Max: b.size})
}

// drawn takes a picture back; it is the next to be seen if ok.
func (b *buffers) drawn(img *image.RGBA, ok bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !ok {
		b.keep(img)
		return
	}
	if b.ready != nil {
		b.keep(b.ready)
	}
	b.ready = img
	if b.waiting.IsZero() {
		b.waiting = now
	}
}

// fetch returns the newest picture for the screen; nil when there was none yet. The one
// returned before is not on the screen any more.
func (b *buffers) fetch() *image.RGBA {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = time.Time{}
	if b.ready != nil {
		if b.front != nil {
			b.keep(b.front)
		}
		b.front, b.ready = b.ready, nil
		b.painted++
	}
	return b.front
}

// clear forgets all pictures.
func (b *buffers) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.front, b.ready, b.spare, b.waiting = nil, nil, nil, time.Time{}
}

func (b *buffers) count() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.painted
}

// keep makes img spare, unless it has an old size. b.mu is held.
func (b *buffers) keep(img *image.RGBA) {
	if img.Rect.Size() == b.size && len(b.spare) < 2 {
		b.spare = append(b.spare, img)
	}
}
