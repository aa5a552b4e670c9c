// SPDX-License-Identifier: AGPL-3.0-or-later

// Package surface is the Fyne widget that shows a player's pictures. Only app/desktop imports
// it; with that it is the only importer of Fyne.
package surface

import (
	"image"
	"image/color"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
)

// Source is what a surface shows; *player.Player is one.
type Source interface {
	Paint(player.Painter) (stop func())
	Redraw()
	State() player.State
	Watch() (changed <-chan struct{}, stop func())
}

// Surface shows a player's pictures, as large as fits, black around them. Pictures are drawn at the
// screen's own pixels by the player's render goroutine; Fyne's goroutine only uploads them. When
// nobody sees the surface, nothing is drawn.
type Surface struct {
	widget.BaseWidget

	source  Source
	buffers buffers
	raster  *canvas.Raster
	hidden  atomic.Bool
	posted  atomic.Bool // a refresh waits in Fyne's queue

	quit      chan struct{}
	done      chan struct{}
	closeOnce sync.Once
	stopPaint func()
}

// New makes a surface that shows the pictures of source. Call Close when its window goes, before or
// after closing the player.
func New(source Source) *Surface {
	s := &Surface{source: source, quit: make(chan struct{}), done: make(chan struct{})}
	s.raster = canvas.NewRaster(s.generate)
	s.raster.ScaleMode = canvas.ImageScalePixels // the picture has the screen's pixels: nothing to smooth
	s.ExtendBaseWidget(s)
	s.stopPaint = source.Paint((*painter)(s))
	go s.watch()
	return s
}

// Painted counts the frames that were handed to the screen.
func (s *Surface) Painted() int64 { return s.buffers.count() }

// Close stops showing pictures. It is safe to call twice.
func (s *Surface) Close() {
	s.closeOnce.Do(func() {
		s.stopPaint()
		close(s.quit)
	})
	<-s.done
}

// Show implements fyne.CanvasObject.
func (s *Surface) Show() {
	s.hidden.Store(false)
	s.BaseWidget.Show()
	s.source.Redraw()
}

// Hide implements fyne.CanvasObject.
func (s *Surface) Hide() {
	s.hidden.Store(true)
	s.BaseWidget.Hide()
}

// MinSize implements fyne.CanvasObject: any window may make the picture small.
func (s *Surface) MinSize() fyne.Size { return fyne.NewSize(160, 90) }

// CreateRenderer implements fyne.Widget.
func (s *Surface) CreateRenderer() fyne.WidgetRenderer {
	// Bars around the picture and not a rectangle behind it: each pixel is painted once.
	r := &renderer{surface: s}
	for i := range r.bars {
		r.bars[i] = canvas.NewRectangle(color.Black)
		r.objects = append(r.objects, r.bars[i])
	}
	r.objects = append(r.objects, s.raster)
	return r
}

// painter is the side of a Surface that the player's render goroutine sees.
type painter Surface

// Next implements player.Painter.
func (p *painter) Next() *image.RGBA {
	if p.hidden.Load() {
		return nil
	}
	return p.buffers.next(time.Now())
}

// Drawn implements player.Painter.
func (p *painter) Drawn(img *image.RGBA, ok bool) {
	p.buffers.drawn(img, ok, time.Now())
	if !ok || !p.posted.CompareAndSwap(false, true) {
		return
	}
	fyne.Do(func() {
		p.posted.Store(false)
		p.raster.Refresh()
	})
}

// generate hands Fyne the picture for the raster. Its size is that of the raster but for a moment after a
// resize, when Fyne stretches the old picture.
func (s *Surface) generate(_, _ int) image.Image {
	if img := s.buffers.fetch(); img != nil {
		return img
	}
	return image.NewUniform(color.Black)
}

// watch lays the surface out anew when the picture's shape changes.
func (s *Surface) watch() {
	defer close(s.done)
	changed, stop := s.source.Watch()
	defer stop()
	var last image.Point
	for {
		st := s.source.State()
		if size := image.Pt(st.Width, st.Height); size != last {
			last = size
			fyne.Do(s.Refresh)
		}
		select {
		case <-s.quit:
			return
		case <-changed:
		}
	}
}
