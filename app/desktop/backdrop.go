// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

// backdrop is a plain area in a colour of the theme. Unlike a canvas.Rectangle it follows a change of
// theme.
type backdrop struct {
	widget.BaseWidget
	fill, border fyne.ThemeColorName
	radius       float32
	min          fyne.Size
}

func newBackdrop(fill fyne.ThemeColorName, radius float32) *backdrop {
	b := &backdrop{fill: fill, radius: radius}
	b.ExtendBaseWidget(b)
	return b
}

// setColor changes the colour.
func (b *backdrop) setColor(name fyne.ThemeColorName) {
	if b.fill != name {
		b.fill = name
		b.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (b *backdrop) CreateRenderer() fyne.WidgetRenderer {
	r := &backdropRenderer{b: b, rect: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

type backdropRenderer struct {
	b    *backdrop
	rect *canvas.Rectangle
}

func (r *backdropRenderer) Destroy()                     {}
func (r *backdropRenderer) MinSize() fyne.Size           { return r.b.min }
func (r *backdropRenderer) Layout(size fyne.Size)        { r.rect.Resize(size) }
func (r *backdropRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *backdropRenderer) Refresh() {
	r.rect.CornerRadius = r.b.radius
	r.rect.FillColor = color.Transparent
	if r.b.fill != "" {
		r.rect.FillColor = themeColor(r.b.fill)
	}
	if r.b.border != "" {
		r.rect.StrokeColor, r.rect.StrokeWidth = themeColor(r.b.border), 1
	}
	r.rect.Refresh()
}

// panel puts content on a card with some room around it.
func panel(content fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newBackdrop(colorCard, 10), pad(content, 14, 16))
}

// pad leaves room around content: above and below, left and right.
func pad(content fyne.CanvasObject, vertical, horizontal float32) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(vertical, vertical, horizontal, horizontal), content)
}

// gap is empty room.
func gap(width, height float32) fyne.CanvasObject {
	b := newBackdrop("", 0)
	b.min = fyne.NewSize(width, height)
	return b
}

// column stacks objects with a distance between them.
func column(distance float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(distance), objects...)
}

// row lines objects up with a distance between them.
func row(distance float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedHBoxLayout(distance), objects...)
}

// under puts content below what stands at the top, and gives it the rest of the room. The keyboard
// comes to the top first, unlike in container.NewBorder.
func under(top, content fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewBorderLayout(top, nil, nil, nil), top, content)
}

// between puts content between what stands on its left and on its right, in the keyboard's order too.
func between(left, content, right fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewBorderLayout(nil, nil, left, right), left, content, right)
}

// middle centres an object by its height and leaves its width alone.
func middle(object fyne.CanvasObject) *fyne.Container {
	return container.New(middleLayout{}, object)
}

type middleLayout struct{}

// MinSize implements fyne.Layout.
func (middleLayout) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

// Layout implements fyne.Layout.
func (middleLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	h := objects[0].MinSize().Height
	objects[0].Resize(fyne.NewSize(size.Width, h))
	objects[0].Move(fyne.NewPos(0, (size.Height-h)/2))
}

// fixed gives an object a width.
func fixed(width float32, object fyne.CanvasObject) *fyne.Container {
	return container.New(fixedLayout{width}, object)
}

type fixedLayout struct{ width float32 }

// MinSize implements fyne.Layout.
func (l fixedLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(l.width, objects[0].MinSize().Height)
}

// Layout implements fyne.Layout.
func (l fixedLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[0].Move(fyne.NewPos(0, 0))
}
