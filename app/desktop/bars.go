// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// share is one part of a bar.
type share struct {
	color fyne.ThemeColorName
	part  float64 // of the whole, 0 to 1
}

// shareBar is a thin bar of coloured parts on an empty track: how far a download is, or which
// transports carried how much.
type shareBar struct {
	widget.BaseWidget
	height float32
	shares []share
}

func newShareBar(height float32, colors ...fyne.ThemeColorName) *shareBar {
	b := &shareBar{height: height}
	for _, c := range colors {
		b.shares = append(b.shares, share{color: c})
	}
	b.ExtendBaseWidget(b)
	return b
}

func newProgress(height float32) *shareBar { return newShareBar(height, theme.ColorNamePrimary) }

// set changes the parts, in the order of the colours.
func (b *shareBar) set(parts ...float64) {
	changed := false
	for i, p := range parts {
		p = min(max(p, 0), 1)
		if i < len(b.shares) && b.shares[i].part != p {
			b.shares[i].part, changed = p, true
		}
	}
	if changed {
		b.Refresh()
	}
}

// setColor changes the colour of the first part.
func (b *shareBar) setColor(name fyne.ThemeColorName) {
	if b.shares[0].color != name {
		b.shares[0].color = name
		b.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (b *shareBar) CreateRenderer() fyne.WidgetRenderer {
	r := &shareBarRenderer{b: b, track: canvas.NewRectangle(nil)}
	r.objects = []fyne.CanvasObject{r.track}
	for range b.shares {
		rect := canvas.NewRectangle(nil)
		r.parts = append(r.parts, rect)
		r.objects = append(r.objects, rect)
	}
	r.Refresh()
	return r
}

type shareBarRenderer struct {
	b       *shareBar
	track   *canvas.Rectangle
	parts   []*canvas.Rectangle
	objects []fyne.CanvasObject
}

func (r *shareBarRenderer) Destroy()                     {}
func (r *shareBarRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *shareBarRenderer) MinSize() fyne.Size           { return fyne.NewSize(24, r.b.height) }

func (r *shareBarRenderer) Layout(size fyne.Size) {
	y := (size.Height - r.b.height) / 2
	r.track.Move(fyne.NewPos(0, y))
	r.track.Resize(fyne.NewSize(size.Width, r.b.height))
	x := float32(0)
	for i, s := range r.b.shares {
		w := min(size.Width*float32(s.part), size.Width-x)
		if s.part > 0 && w < 2 {
			w = min(2, size.Width-x)
		}
		r.parts[i].Move(fyne.NewPos(x, y))
		r.parts[i].Resize(fyne.NewSize(max(w, 0), r.b.height))
		x += max(w, 0)
	}
}

func (r *shareBarRenderer) Refresh() {
	radius := r.b.height / 2
	r.track.CornerRadius, r.track.FillColor = radius, themeColor(colorTrack)
	for i, s := range r.b.shares {
		r.parts[i].FillColor = themeColor(s.color)
		r.parts[i].CornerRadius = 0
		if len(r.parts) == 1 {
			r.parts[i].CornerRadius = radius
		}
		r.parts[i].Hidden = s.part <= 0
	}
	r.Layout(r.b.Size())
	r.track.Refresh()
	for _, p := range r.parts {
		p.Refresh()
	}
}
