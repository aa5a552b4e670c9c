// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// tabStrip chooses between the parts of a page. Tab and Space reach it as well as the mouse.
type tabStrip struct {
	root    fyne.CanvasObject
	line    *fyne.Container
	entries []*tabEntry
	chosen  int
	choose  func(int)
}

func newTabStrip(words []string, choose func(int)) *tabStrip {
	s := &tabStrip{choose: choose, line: row(2)}
	for i, w := range words {
		e := newTabEntry(w, func() { s.set(i); s.choose(i) })
		s.entries = append(s.entries, e)
		s.line.Add(e)
	}
	s.root = container.NewHScroll(s.line)
	s.set(0)
	return s
}

// set marks a part as the one that is shown.
func (s *tabStrip) set(i int) {
	s.chosen = i
	for n, e := range s.entries {
		e.setChosen(n == i)
	}
}

// setCount shows a number beside a part's name; 0 shows none.
func (s *tabStrip) setCount(i, n int) {
	if s.entries[i].setCount(n) {
		s.line.Refresh()
	}
}

// step goes to the next part, or the one before.
func (s *tabStrip) step(by int) {
	n := (s.chosen + by + len(s.entries)) % len(s.entries)
	s.set(n)
	s.choose(n)
}

// tabEntry is one part's name.
type tabEntry struct {
	widget.BaseWidget
	tap     func()
	back    *backdrop
	mark    *backdrop
	words   *text
	count   *text
	badge   *fyne.Container
	content *fyne.Container
	chosen  bool
	hovered bool
	focused bool
}

var (
	_ fyne.Tappable      = (*tabEntry)(nil)
	_ fyne.Focusable     = (*tabEntry)(nil)
	_ desktop.Hoverable  = (*tabEntry)(nil)
	_ desktop.Cursorable = (*tabEntry)(nil)
)

func newTabEntry(words string, tap func()) *tabEntry {
	e := &tabEntry{tap: tap, back: newBackdrop("", 8), mark: newBackdrop("", 1), words: dimText(words).fitted()}
	e.mark.min = fyne.NewSize(10, 3)
	e.count = newText("", theme.ColorNameForegroundOnWarning, theme.SizeNameCaptionText).fitted()
	e.badge = middle(container.NewStack(newBackdrop(theme.ColorNameWarning, 7), pad(e.count, 0, 6)))
	e.badge.Hide()
	e.content = pad(row(7, e.words, e.badge), 8, 12)
	e.ExtendBaseWidget(e)
	return e
}

// CreateRenderer implements fyne.Widget.
func (e *tabEntry) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(e.back, container.NewBorder(nil, pad(e.mark, 0, 10), nil, nil, e.content)))
}

func (e *tabEntry) setChosen(yes bool) {
	e.chosen = yes
	e.show()
}

// setCount reports whether the entry's size may have changed.
func (e *tabEntry) setCount(n int) bool {
	words := ""
	if n > 0 {
		words = formatCount(int64(n))
	}
	if e.count.words == words {
		return false
	}
	e.count.set(words)
	e.badge.Hidden = words == ""
	relayout(e.content)
	e.Refresh()
	return true
}

func (e *tabEntry) show() {
	back, mark, words := fyne.ThemeColorName(""), fyne.ThemeColorName(""), colorDim
	if e.chosen {
		mark, words = theme.ColorNamePrimary, theme.ColorNameForeground
	}
	if e.focused {
		back = theme.ColorNameFocus
	} else if e.hovered {
		back = theme.ColorNameHover
	}
	e.words.setColor(words)
	e.back.setColor(back)
	e.mark.setColor(mark)
}

// Tapped implements fyne.Tappable.
func (e *tabEntry) Tapped(*fyne.PointEvent) { e.tap() }

// Cursor implements desktop.Cursorable.
func (e *tabEntry) Cursor() desktop.Cursor { return desktop.PointerCursor }

// MouseIn implements desktop.Hoverable.
func (e *tabEntry) MouseIn(*desktop.MouseEvent) { e.hovered = true; e.show() }

// MouseMoved implements desktop.Hoverable.
func (e *tabEntry) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (e *tabEntry) MouseOut() { e.hovered = false; e.show() }

// FocusGained implements fyne.Focusable.
func (e *tabEntry) FocusGained() { e.focused = true; e.show() }

// FocusLost implements fyne.Focusable.
func (e *tabEntry) FocusLost() { e.focused = false; e.show() }

// TypedRune implements fyne.Focusable.
func (e *tabEntry) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (e *tabEntry) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter || k.Name == fyne.KeySpace {
		e.tap()
	}
}
