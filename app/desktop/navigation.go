// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/assets/icons"
)

// place is a page of the window.
type place string

// The pages.
const (
	placeBrowse    place = "browse"
	placeWatch     place = "watch"
	placeCoSeeding place = "coseeding"
	placeInstance  place = "instance"
	placeSettings  place = "settings"
)

// navigation is the column on the left: where one can go, and what the swarms do just now.
type navigation struct {
	root    fyne.CanvasObject
	entries map[place]*navEntry
	down    *text
	up      *text
	peers   *text
}

func newNavigation(hasInstance bool, goTo func(place)) *navigation {
	n := &navigation{entries: make(map[place]*navEntry)}
	entry := func(p place, words string, icon []byte) *navEntry {
		res := theme.NewThemedResource(fyne.NewStaticResource("nav-"+string(p)+".svg", icon))
		e := newNavEntry(words, res, func() { goTo(p) })
		n.entries[p] = e
		return e
	}
	list := column(4,
		entry(placeBrowse, tr("Browse"), icons.Browse),
		entry(placeWatch, tr("Now playing"), icons.Watch),
		entry(placeCoSeeding, tr("Co-seeding"), icons.Fish),
	)
	if hasInstance {
		list.Add(entry(placeInstance, tr("My instance"), icons.Instance))
	}
	list.Add(entry(placeSettings, tr("Settings"), icons.Settings))

	mark := canvas.NewImageFromResource(programIcon())
	mark.FillMode = canvas.ImageFillContain
	mark.SetMinSize(fyne.NewSquareSize(34))
	name := subheading("Shoal").fitted()
	head := row(10, mark, middle(name))

	n.down, n.up, n.peers = smallText(""), smallText(""), smallText("")
	foot := column(3, n.down, n.up, n.peers)
	n.setTraffic(0, 0, 0)

	n.root = container.NewStack(newBackdrop(colorNavigation, 0),
		fixed(186, container.NewBorder(pad(head, 14, 16), pad(foot, 14, 18), nil, nil, pad(list, 6, 10))))
	return n
}

// choose marks the page that is shown.
func (n *navigation) choose(p place) {
	for at, e := range n.entries {
		e.setChosen(at == p)
	}
}

// setTraffic shows the sum of all swarms.
func (n *navigation) setTraffic(down, up float64, peers int) {
	n.down.set(tr("↓ %s", formatRate(down)))
	n.up.set(tr("↑ %s", formatRate(up)))
	n.peers.set(plural(peers, "%d peer", "%d peers"))
}

// programIcon is the icon as Fyne takes it.
func programIcon() fyne.Resource { return fyne.NewStaticResource("shoal.png", icons.ShoalPNG) }

// navEntry is one way of the navigation.
type navEntry struct {
	widget.BaseWidget
	tap     func()
	back    *backdrop
	mark    *backdrop
	words   *text
	icon    *widget.Icon
	res     *theme.ThemedResource
	chosen  bool
	hovered bool
	focused bool
}

var (
	_ fyne.Tappable     = (*navEntry)(nil)
	_ fyne.Focusable    = (*navEntry)(nil)
	_ desktop.Hoverable = (*navEntry)(nil)
)

func newNavEntry(words string, res *theme.ThemedResource, tap func()) *navEntry {
	e := &navEntry{tap: tap, res: res, back: newBackdrop("", 8), mark: newBackdrop("", 2), words: plainText(words), icon: widget.NewIcon(res)}
	e.ExtendBaseWidget(e)
	return e
}

// CreateRenderer implements fyne.Widget.
func (e *navEntry) CreateRenderer() fyne.WidgetRenderer {
	content := container.NewBorder(nil, nil, container.NewGridWrap(fyne.NewSquareSize(20), e.icon), nil, pad(e.words, 0, 8))
	bar := container.New(layout.NewCustomPaddedLayout(10, 10, 0, 0), container.NewGridWrap(fyne.NewSize(3, 20), e.mark))
	return widget.NewSimpleRenderer(container.NewStack(e.back, container.NewHBox(bar), pad(content, 10, 14)))
}

func (e *navEntry) setChosen(yes bool) {
	e.chosen = yes
	e.show()
}

func (e *navEntry) show() {
	back, mark, words := fyne.ThemeColorName(""), fyne.ThemeColorName(""), colorDim
	switch {
	case e.chosen:
		back, mark, words = theme.ColorNameSelection, theme.ColorNamePrimary, theme.ColorNameForeground
		e.icon.SetResource(theme.NewPrimaryThemedResource(e.res))
	default:
		e.icon.SetResource(e.res)
	}
	if e.focused {
		back = theme.ColorNameFocus
	} else if e.hovered && !e.chosen {
		back = theme.ColorNameHover
	}
	e.words.style.Bold = e.chosen
	e.words.setColor(words)
	e.words.Refresh()
	e.back.setColor(back)
	e.mark.setColor(mark)
}

// Tapped implements fyne.Tappable.
func (e *navEntry) Tapped(*fyne.PointEvent) { e.tap() }

// MouseIn implements desktop.Hoverable.
func (e *navEntry) MouseIn(*desktop.MouseEvent) { e.hovered = true; e.show() }

// MouseMoved implements desktop.Hoverable.
func (e *navEntry) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (e *navEntry) MouseOut() { e.hovered = false; e.show() }

// FocusGained implements fyne.Focusable.
func (e *navEntry) FocusGained() { e.focused = true; e.show() }

// FocusLost implements fyne.Focusable.
func (e *navEntry) FocusLost() { e.focused = false; e.show() }

// TypedRune implements fyne.Focusable.
func (e *navEntry) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (e *navEntry) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter || k.Name == fyne.KeySpace {
		e.tap()
	}
}
