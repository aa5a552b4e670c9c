// SPDX-License-Identifier: AGPL-3.0-or-later

package surface

import (
	"image"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// renderer lays out the picture and the black bars around it.
type renderer struct {
	surface *Surface
	bars    [4]*canvas.Rectangle
	objects []fyne.CanvasObject
}

// Layout implements fyne.WidgetRenderer.
func (r *renderer) Layout(size fyne.Size) {
	s := r.surface
	st := s.source.State()
	scale := pixelScale(s)
	room := image.Pt(pixels(size.Width, scale), pixels(size.Height, scale))
	pic := fit(room, image.Pt(st.Width, st.Height))
	if pic.Empty() {
		s.buffers.resize(image.Point{})
		s.buffers.clear()
		s.raster.Hide()
		place(r.bars[0], image.Rectangle{Max: room}, scale)
		r.bars[0].Resize(size)
		for _, bar := range r.bars[1:] {
			bar.Hide()
		}
		return
	}
	for i, rect := range around(room, pic) {
		place(r.bars[i], rect, scale)
	}
	changed := s.buffers.resize(pic.Size())
	place(s.raster, pic, scale)
	if changed {
		s.source.Redraw()
	}
}

// Refresh implements fyne.WidgetRenderer.
func (r *renderer) Refresh() {
	r.Layout(r.surface.Size())
	canvas.Refresh(r.bars[0])
}

// MinSize implements fyne.WidgetRenderer.
func (r *renderer) MinSize() fyne.Size { return r.surface.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *renderer) Objects() []fyne.CanvasObject { return r.objects }

// Destroy implements fyne.WidgetRenderer.
func (r *renderer) Destroy() {}

// around returns what is left of room around pic: above, below, left and right of it.
func around(room image.Point, pic image.Rectangle) [4]image.Rectangle {
	return [4]image.Rectangle{
		image.Rect(0, 0, room.X, pic.Min.Y),
		image.Rect(0, pic.Max.Y, room.X, room.Y),
		image.Rect(0, pic.Min.Y, pic.Min.X, pic.Max.Y),
		image.Rect(pic.Max.X, pic.Min.Y, room.X, pic.Max.Y),
	}
}

// place moves an object to a rectangle of pixels, or hides it if that is empty.
func place(o fyne.CanvasObject, at image.Rectangle, scale float32) {
	if at.Empty() {
		o.Hide()
		return
	}
	o.Move(fyne.NewPos(float32(at.Min.X)/scale, float32(at.Min.Y)/scale))
	o.Resize(fyne.NewSize(float32(at.Dx())/scale, float32(at.Dy())/scale))
	o.Show()
}

// pixelScale is how many pixels of the screen a unit of Fyne's is.
func pixelScale(o fyne.CanvasObject) float32 {
	const far = 1 << 14
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return 1
	}
	x, _ := c.PixelCoordinateForPosition(fyne.NewPos(far, far))
	if x <= 0 {
		return 1
	}
	return float32(x) / far
}

func pixels(v, scale float32) int { return int(math.Floor(float64(v*scale) + 0.5)) }
