// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import "fyne.io/fyne/v2"

// cardGrid lays out as many equal columns as fit, each at least minWidth wide. Its height follows
// from the width it was given last.
type cardGrid struct {
	minWidth, gap float32
	below         float32 // height of a card below its 16:9 picture
	width         float32
}

func (g *cardGrid) columns(width float32) int {
	return max(1, int((width+g.gap)/(g.minWidth+g.gap)))
}

func (g *cardGrid) cell(width float32) fyne.Size {
	n := float32(g.columns(width))
	w := max(g.minWidth, (width-(n-1)*g.gap)/n)
	return fyne.NewSize(w, w*9/16+g.below)
}

// MinSize implements fyne.Layout.
func (g *cardGrid) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := max(g.width, g.minWidth)
	cols := g.columns(width)
	rows := (len(objects) + cols - 1) / cols
	if rows == 0 {
		return fyne.NewSize(g.minWidth, 0)
	}
	return fyne.NewSize(g.minWidth, float32(rows)*(g.cell(width).Height+g.gap)-g.gap)
}

// Layout implements fyne.Layout.
func (g *cardGrid) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	g.width = size.Width
	cols, cell := g.columns(size.Width), g.cell(size.Width)
	for i, o := range objects {
		o.Resize(cell)
		o.Move(fyne.NewPos(float32(i%cols)*(cell.Width+g.gap), float32(i/cols)*(cell.Height+g.gap)))
	}
}
