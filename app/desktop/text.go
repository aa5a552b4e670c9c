// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// text shows a few lines without room around them and cuts what does not fit with an ellipsis. A
// change of its words never changes its size, so nothing around it moves, unless it fits its words
// or flows.
type text struct {
	widget.BaseWidget
	words string
	color fyne.ThemeColorName
	size  fyne.ThemeSizeName
	style fyne.TextStyle
	align fyne.TextAlign
	lines int  // how many lines to use at most
	fit   bool // be at least as wide as the words, for one line
	flow  bool // be only as high as the words need at the width given last
}

func newText(words string, color fyne.ThemeColorName, size fyne.ThemeSizeName) *text {
	t := &text{words: words, color: color, size: size, lines: 1}
	t.ExtendBaseWidget(t)
	return t
}

// The usual kinds of text.
func plainText(words string) *text {
	return newText(words, theme.ColorNameForeground, theme.SizeNameText)
}
func dimText(words string) *text   { return newText(words, colorDim, theme.SizeNameText) }
func smallText(words string) *text { return newText(words, colorDim, theme.SizeNameCaptionText) }

func boldText(words string) *text {
	t := plainText(words)
	t.style.Bold = true
	return t
}

func heading(words string) *text {
	t := newText(words, theme.ColorNameForeground, theme.SizeNameHeadingText)
	t.style.Bold = true
	return t
}

func subheading(words string) *text {
	t := newText(words, theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	t.style.Bold = true
	return t
}

// fitted makes the text as wide as its words.
func (t *text) fitted() *text { t.fit = true; return t }

// aligned sets where the words stand.
func (t *text) aligned(a fyne.TextAlign) *text { t.align = a; return t }

// upTo sets the number of lines.
func (t *text) upTo(lines int) *text { t.lines = lines; return t }

// flowing makes the text as high as its words need, up to a number of lines.
func (t *text) flowing(lines int) *text { t.lines, t.flow = lines, true; return t }

// set changes the words.
func (t *text) set(words string) {
	if t.words != words {
		t.words = words
		t.Refresh()
	}
}

// setColor changes the colour.
func (t *text) setColor(name fyne.ThemeColorName) {
	if t.color != name {
		t.color = name
		t.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (t *text) CreateRenderer() fyne.WidgetRenderer {
	r := &textRenderer{t: t}
	for range t.lines {
		r.texts = append(r.texts, canvas.NewText("", nil))
		r.objects = append(r.objects, r.texts[len(r.texts)-1])
	}
	r.Refresh()
	return r
}

type textRenderer struct {
	t       *text
	texts   []*canvas.Text
	objects []fyne.CanvasObject
	width   float32
	used    int // lines that have words
}

func (r *textRenderer) Destroy()                     {}
func (r *textRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *textRenderer) MinSize() fyne.Size {
	size := fyne.MeasureText("Åy", theme.Size(r.t.size), r.t.style)
	width := float32(0)
	if r.t.fit {
		width = fyne.MeasureText(r.t.words, theme.Size(r.t.size), r.t.style).Width
	}
	lines := len(r.texts)
	if r.t.flow {
		lines = max(1, r.used)
	}
	return fyne.NewSize(width, size.Height*float32(lines))
}

func (r *textRenderer) Layout(size fyne.Size) {
	h := fyne.MeasureText("Åy", theme.Size(r.t.size), r.t.style).Height
	for i, t := range r.texts {
		t.Resize(fyne.NewSize(size.Width, h))
		t.Move(fyne.NewPos(0, float32(i)*h))
	}
	if size.Width != r.width {
		r.width = size.Width
		r.fill()
	}
}

func (r *textRenderer) Refresh() { r.fill() }

// fill writes the words into the lines.
func (r *textRenderer) fill() {
	size := theme.Size(r.t.size)
	measure := func(s string) float32 { return fyne.MeasureText(s, size, r.t.style).Width }
	width := r.width
	if r.t.fit {
		width = measure(r.t.words) + 1
	}
	lines := breakLines(r.t.words, len(r.texts), width, measure)
	r.used = len(lines)
	for i, t := range r.texts {
		words := ""
		if i < len(lines) {
			words = lines[i]
		}
		c := themeColor(r.t.color)
		if t.Text == words && t.Color == c && t.TextSize == size {
			continue
		}
		t.Text, t.Color, t.TextSize, t.TextStyle, t.Alignment = words, c, size, r.t.style, r.t.align
		t.Refresh()
	}
}

// breakLines fills at most n lines of a width with words and ends the last one with an ellipsis
// where they do not all fit.
func breakLines(words string, n int, width float32, measure func(string) float32) []string {
	if width <= 0 || n < 1 {
		return nil
	}
	var lines []string
	rest := words
	for len(lines) < n-1 && measure(rest) > width {
		cut := fitting(rest, width, measure)
		if space := strings.LastIndexByte(rest[:cut+min(1, len(rest)-cut)], ' '); space > 0 {
			cut = space
		}
		if cut == 0 {
			break
		}
		lines = append(lines, strings.TrimRight(rest[:cut], " "))
		rest = strings.TrimLeft(rest[cut:], " ")
	}
	if measure(rest) > width {
		rest = rest[:fitting(rest, width-measure("…"), measure)] + "…"
	}
	return append(lines, rest)
}

// fitting returns how many bytes of s fit into a width, whole runes.
func fitting(s string, width float32, measure func(string) float32) int {
	ends := make([]int, 0, len(s)+1)
	for i := range s {
		ends = append(ends, i)
	}
	ends = append(ends, len(s))
	low, high := 0, len(ends)-1 // ends[low] always fits
	for low < high {
		mid := (low + high + 1) / 2
		if measure(s[:ends[mid]]) <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return ends[low]
}
