// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"image"
	"image/color"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// slidePause is the shortest time between two reports of a handle on its way.
const slidePause = 50 * time.Millisecond

// stripParts is into how many parts the strip of a seek bar divides the file.
const stripParts = 400

// slide is a bar with a handle that is dragged: the seek bar and the volume. It takes no keyboard
// focus, so that the keys stay the player's.
type slide struct {
	widget.BaseWidget
	// moved reports the handle: on its way with final false, where it was let go with final true.
	moved func(part float64, final bool)
	// label names a place under the mouse; nil for no label.
	label func(part float64) string
	now   func() time.Time

	value    float64 // 0 to 1
	held     bool    // being dragged
	hovered  bool
	mouse    float32
	last     time.Time
	disabled bool
	strip    []float32 // nil for no strip
}

var (
	_ fyne.Draggable     = (*slide)(nil)
	_ desktop.Mouseable  = (*slide)(nil)
	_ desktop.Hoverable  = (*slide)(nil)
	_ desktop.Cursorable = (*slide)(nil)
)

func newSlide(moved func(float64, bool)) *slide {
	s := &slide{moved: moved, now: time.Now}
	s.ExtendBaseWidget(s)
	return s
}

// set moves the handle, unless a person holds it.
func (s *slide) set(value float64) {
	value = min(max(value, 0), 1)
	if !s.held && s.value != value {
		s.value = value
		s.Refresh()
	}
}

// setStrip shows which parts are on disk, each 0 to 1.
func (s *slide) setStrip(parts []float32) {
	if !slices.Equal(s.strip, parts) {
		s.strip = parts
		s.Refresh()
	}
}

func (s *slide) setDisabled(yes bool) {
	if s.disabled != yes {
		s.disabled = yes
		s.held = false
		s.Refresh()
	}
}

func (s *slide) at(x float32) float64 {
	return min(max(float64((x-slideEdge)/max(1, s.Size().Width-2*slideEdge)), 0), 1)
}

func (s *slide) move(x float32) {
	if s.disabled {
		return
	}
	s.held, s.mouse = true, x
	s.value = s.at(x)
	if now := s.now(); now.Sub(s.last) >= slidePause {
		s.last = now
		s.moved(s.value, false)
	}
	s.Refresh()
}

func (s *slide) letGo() {
	if !s.held {
		return
	}
	s.held, s.last = false, time.Time{}
	s.moved(s.value, true)
	s.Refresh()
}

// MouseDown implements desktop.Mouseable.
func (s *slide) MouseDown(e *desktop.MouseEvent) {
	if e.Button == desktop.MouseButtonPrimary {
		s.move(e.Position.X)
	}
}

// MouseUp implements desktop.Mouseable.
func (s *slide) MouseUp(*desktop.MouseEvent) { s.letGo() }

// Dragged implements fyne.Draggable.
func (s *slide) Dragged(e *fyne.DragEvent) { s.move(e.Position.X) }

// DragEnd implements fyne.Draggable.
func (s *slide) DragEnd() { s.letGo() }

// MouseIn implements desktop.Hoverable.
func (s *slide) MouseIn(e *desktop.MouseEvent) { s.hovered = true; s.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable.
func (s *slide) MouseMoved(e *desktop.MouseEvent) {
	s.mouse = e.Position.X
	s.Refresh()
}

// MouseOut implements desktop.Hoverable.
func (s *slide) MouseOut() { s.hovered = false; s.Refresh() }

// Cursor implements desktop.Cursorable.
func (s *slide) Cursor() desktop.Cursor { return desktop.PointerCursor }

// Sizes of the parts of a slide.
const (
	slideEdge   float32 = 7  // room for half a handle at both ends
	slideMiddle float32 = 11 // the line's distance from the top
	slideHeight float32 = 22
	stripHeight float32 = 3
)

// CreateRenderer implements fyne.Widget.
func (s *slide) CreateRenderer() fyne.WidgetRenderer {
	r := &slideRenderer{
		s: s, track: canvas.NewRectangle(nil), done: canvas.NewRectangle(nil), handle: canvas.NewCircle(nil),
		strip: canvas.NewImageFromImage(nil), bubble: canvas.NewRectangle(nil), words: canvas.NewText("", nil),
	}
	r.strip.FillMode, r.strip.ScaleMode = canvas.ImageFillStretch, canvas.ImageScalePixels
	r.Refresh()
	return r
}

type slideRenderer struct {
	s           *slide
	track, done *canvas.Rectangle
	handle      *canvas.Circle
	strip       *canvas.Image
	drawn       []float32
	drawnIn     color.Color
	bubble      *canvas.Rectangle
	words       *canvas.Text
}

func (r *slideRenderer) Destroy() {}

func (r *slideRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.done, r.strip, r.handle, r.bubble, r.words}
}

func (r *slideRenderer) MinSize() fyne.Size {
	h := slideHeight
	if r.s.strip != nil {
		h += stripHeight + 2
	}
	return fyne.NewSize(60, h)
}

func (r *slideRenderer) Layout(size fyne.Size) {
	thick, knob := float32(4), float32(12)
	if r.s.hovered || r.s.held {
		thick, knob = 6, 15
	}
	width := max(0, size.Width-2*slideEdge)
	x := slideEdge + width*float32(r.s.value)
	r.track.Move(fyne.NewPos(slideEdge, slideMiddle-thick/2))
	r.track.Resize(fyne.NewSize(width, thick))
	r.done.Move(r.track.Position())
	r.done.Resize(fyne.NewSize(width*float32(r.s.value), thick))
	r.track.CornerRadius, r.done.CornerRadius = thick/2, thick/2
	r.handle.Move(fyne.NewPos(x-knob/2, slideMiddle-knob/2))
	r.handle.Resize(fyne.NewSquareSize(knob))
	r.strip.Move(fyne.NewPos(slideEdge, slideHeight-1))
	r.strip.Resize(fyne.NewSize(width, stripHeight))

	w := r.words.MinSize()
	left := min(max(r.s.mouse-w.Width/2, slideEdge), max(slideEdge, size.Width-w.Width-slideEdge))
	r.words.Move(fyne.NewPos(left, -w.Height-5))
	r.words.Resize(w)
	r.bubble.Move(fyne.NewPos(left-7, -w.Height-8))
	r.bubble.Resize(w.Add(fyne.NewSize(14, 6)))
}

func (r *slideRenderer) Refresh() {
	r.track.FillColor = themeColor(colorTrack)
	r.done.FillColor = themeColor(theme.ColorNamePrimary)
	r.handle.FillColor = themeColor(theme.ColorNameForeground)
	r.handle.Hidden = r.s.disabled
	r.done.Hidden = r.s.disabled
	r.bubble.FillColor, r.bubble.CornerRadius = scrim(), 5
	r.words.Color, r.words.TextSize = overPicture(), theme.CaptionTextSize()
	show := r.s.label != nil && !r.s.disabled && (r.s.hovered || r.s.held)
	r.words.Hidden, r.bubble.Hidden = !show, !show
	if show {
		r.words.Text = r.s.label(r.s.at(r.s.mouse))
	}
	r.drawStrip()
	r.Layout(r.s.Size())
	canvas.Refresh(r.s)
}

// drawStrip paints the strip where it has changed.
func (r *slideRenderer) drawStrip() {
	full := themeColor(colorStrip)
	r.strip.Hidden = r.s.strip == nil
	if r.s.strip == nil || (slices.Equal(r.drawn, r.s.strip) && r.drawnIn == full) {
		return
	}
	r.drawn, r.drawnIn = slices.Clone(r.s.strip), full
	empty := themeColor(colorTrack)
	img := image.NewRGBA(image.Rect(0, 0, max(1, len(r.drawn)), 1))
	for i, part := range r.drawn {
		img.Set(i, 0, mix(empty, full, part))
	}
	r.strip.Image = img
	r.strip.Refresh()
}

// mix blends two colours.
func mix(a, b color.Color, part float32) color.Color {
	p := uint32(min(max(part, 0), 1) * 256)
	ar, ag, ab, aa := a.RGBA()
	br, bg, bb, ba := b.RGBA()
	blend := func(x, y uint32) uint16 { return uint16((x*(256-p) + y*p) >> 8) } // stays within 16 bits
	return color.RGBA64{R: blend(ar, br), G: blend(ag, bg), B: blend(ab, bb), A: blend(aa, ba)}
}
