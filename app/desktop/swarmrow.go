// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
	"shoal/assets/icons"
	"shoal/peer/library"
)

// rowWords is what a row shows of a swarm. Rows with equal words need no drawing.
type rowWords struct {
	infohash       string
	name, state    string
	stateColor     fyne.ThemeColorName
	size, down, up string
	shared, ratio  string
	keep           string
	part           float64
	complete       bool
	paused, own    bool
	pinned         bool
	playable       bool
}

// wordsFor puts a swarm into words; bounded is as for keepWords.
func wordsFor(s core.SwarmInfo, bounded bool) rowWords {
	w := rowWords{
		infohash: s.Infohash, name: nameOf(s), complete: s.Complete, own: s.Own, pinned: s.Pinned, keep: keepWords(s, bounded),
		paused: s.Paused || !s.Joined, playable: s.Magnet != "" || s.Page != "",
		down: tr("↓ %s", formatRate(s.Down)), up: tr("↑ %s", formatRate(s.Up)),
		shared: formatBytes(s.Uploaded.Sum()),
		ratio:  tr("ratio %s", formatRatio(s.Uploaded.Sum(), s.Downloaded.Sum())),
	}
	if s.Downloaded.Sum() == 0 {
		w.ratio = tr("shared back")
	}
	switch {
	case s.Bytes <= 0:
		w.size = tr("size unknown")
	case s.Complete:
		w.size, w.part = formatBytes(s.Bytes), 1
	default:
		w.size = tr("%[1]s of %[2]s", formatBytes(s.Completed), formatBytes(s.Bytes))
		w.part = float64(s.Completed) / float64(s.Bytes)
	}
	w.state, w.stateColor = stateOf(s)
	return w
}

// nameOf is a swarm's name for people.
func nameOf(s core.SwarmInfo) string {
	if name := oneLine(s.Name, 200); name != "" {
		return name
	}
	return s.Infohash
}

// stateOf says in a few words what a swarm does.
func stateOf(s core.SwarmInfo) (string, fyne.ThemeColorName) {
	reached := s.Peers
	if s.Complete {
		reached.WebSeed = 0 // nobody to share with
	}
	peers := formatPeers(reached)
	with := func(words string) string {
		if peers == "" {
			return words
		}
		return words + " · " + peers
	}
	switch {
	case s.Problem != "":
		return oneLine(s.Problem, 200), theme.ColorNameWarning
	case s.Paused && s.Stopped != library.StopNone:
		return stopWords(s.Stopped), colorDim
	case s.Paused:
		return tr("Paused"), colorDim
	case s.Held:
		return tr("Waits: metered connection"), colorDim
	case !s.Joined:
		return tr("Not taking part: resume to join again"), colorDim
	case s.Complete && s.Up >= 1:
		return with(tr("Sharing")), theme.ColorNameSuccess
	case s.Complete:
		return with(tr("Seeding")), theme.ColorNameSuccess
	case s.Down >= 1:
		return with(tr("Downloading")), theme.ColorNamePrimary
	case peers == "":
		return tr("Looking for peers"), colorDim
	}
	return with(tr("Waiting")), colorDim
}

// swarmRow shows one swarm. A list has a few of them, which take turns.
type swarmRow struct {
	widget.BaseWidget
	shown   rowWords
	at      int // its place in the list
	do      func(a rowAct, infohash string)
	name    *text
	state   *text
	keep    *text
	size    *text
	bar     *shareBar
	down    *text
	up      *text
	shared  *text
	ratio   *text
	open    *widget.Button
	pin     *widget.Button
	pause   *widget.Button
	remove  *widget.Button
	content fyne.CanvasObject

	pinIn, pinOut fyne.Resource
}

var _ fyne.SecondaryTappable = (*swarmRow)(nil)

func newSwarmRow(do func(rowAct, string)) *swarmRow {
	r := &swarmRow{
		do: do, name: boldText(""), state: smallText(""), keep: smallText(""), size: smallText(""), bar: newProgress(5),
		down: smallText(""), up: smallText(""), shared: plainText(""), ratio: smallText(""),
	}
	pin := theme.NewThemedResource(fyne.NewStaticResource("row-pin.svg", icons.Pin))
	out := theme.NewThemedResource(fyne.NewStaticResource("row-pin.svg", icons.Pin))
	out.ColorName = colorDim
	r.pinIn, r.pinOut = theme.NewPrimaryThemedResource(pin), out
	asks := func(a rowAct) func() { return func() { r.do(a, r.shown.infohash) } }
	r.open = quiet(tr("Watch"), nil, asks(rowOpen))
	r.pin = quiet("", r.pinOut, asks(rowPin))
	r.pause = quiet("", theme.MediaPauseIcon(), asks(rowPause))
	r.remove = quiet("", theme.DeleteIcon(), asks(rowRemove))
	line := container.New(swarmRowLayout{},
		middle(column(4, r.name, r.state)),
		middle(column(6, r.size, r.bar)),
		middle(column(2, r.down, r.up)),
		middle(column(1, r.shared, r.ratio)),
		row(0, middle(r.open), middle(r.pin), middle(r.pause), middle(r.remove)),
	)
	r.content = container.NewStack(newBackdrop(colorCard, 10), pad(column(3, line, r.keep), 8, 14))
	r.ExtendBaseWidget(r)
	return r
}

// swarmRowLayout places a row's words, size, rates, share and buttons; the rates are left out where
// there is no room.
type swarmRowLayout struct{}

// Sizes of a row.
const (
	sizeColumn     float32 = 138
	ratesColumn    float32 = 92
	shareColumn    float32 = 84
	columnDistance float32 = 16
	ratesFrom      float32 = 760 // the width from which on rates have room
)

// MinSize implements fyne.Layout.
func (swarmRowLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	height := float32(0)
	for _, o := range objects {
		height = max(height, o.MinSize().Height)
	}
	return fyne.NewSize(sizeColumn+shareColumn+objects[4].MinSize().Width+3*columnDistance+80, height)
}

// Layout implements fyne.Layout.
func (swarmRowLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	right := size.Width
	place := func(o fyne.CanvasObject, width, distance float32) {
		right -= width
		o.Resize(fyne.NewSize(width, size.Height))
		o.Move(fyne.NewPos(right, 0))
		right -= distance
	}
	place(objects[4], objects[4].MinSize().Width, columnDistance)
	place(objects[3], shareColumn, columnDistance)
	objects[2].Hide()
	if size.Width >= ratesFrom {
		objects[2].Show()
		place(objects[2], ratesColumn, columnDistance)
	}
	place(objects[1], sizeColumn, columnDistance)
	objects[0].Resize(fyne.NewSize(max(right, 0), size.Height))
	objects[0].Move(fyne.NewPos(0, 0))
}

// CreateRenderer implements fyne.Widget.
func (r *swarmRow) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(pad(r.content, 3, 0))
}

// TappedSecondary implements fyne.SecondaryTappable: it names what can be done with the video.
func (r *swarmRow) TappedSecondary(e *fyne.PointEvent) {
	widget.ShowPopUpMenuAtPosition(r.menu(), fyne.CurrentApp().Driver().CanvasForObject(r), e.AbsolutePosition)
}

func (r *swarmRow) menu() *fyne.Menu {
	infohash := r.shown.infohash
	item := func(words string, a rowAct, key fyne.KeyName, yes bool) *fyne.MenuItem {
		i := fyne.NewMenuItem(words, func() { r.do(a, infohash) })
		i.Disabled = !yes
		if key != "" {
			i.Shortcut = &desktop.CustomShortcut{KeyName: key}
		}
		return i
	}
	pause, pin := tr("Pause"), tr("Pin")
	if r.shown.paused {
		pause = tr("Resume")
	}
	if r.shown.pinned {
		pin = tr("Unpin")
	}
	return fyne.NewMenu("",
		item(tr("Watch"), rowOpen, fyne.KeyReturn, r.shown.playable),
		item(pause, rowPause, fyne.KeySpace, true),
		item(pin, rowPin, fyne.KeyP, !r.shown.own),
		item(tr("Copy link"), rowCopy, "", r.shown.playable),
		fyne.NewMenuItemSeparator(),
		item(tr("Remove…"), rowRemove, fyne.KeyDelete, !r.shown.own))
}

// show brings the row up to date; what stays the same is not drawn anew.
func (r *swarmRow) show(w rowWords) {
	if r.shown == w {
		return
	}
	r.shown = w
	r.name.set(w.name)
	r.state.setColor(w.stateColor)
	r.state.set(w.state)
	r.keep.set(w.keep)
	r.size.set(w.size)
	r.down.set(w.down)
	r.up.set(w.up)
	r.shared.set(w.shared)
	r.ratio.set(w.ratio)
	color := theme.ColorNamePrimary
	if w.complete {
		color = theme.ColorNameSuccess
	}
	r.bar.setColor(color)
	r.bar.set(w.part)
	icon := theme.MediaPauseIcon()
	if w.paused {
		icon = theme.MediaPlayIcon()
	}
	setIcon(r.pause, icon)
	pin := r.pinOut
	if w.pinned {
		pin = r.pinIn
	}
	setIcon(r.pin, pin)
	setEnabled(r.open, w.playable)
	setEnabled(r.pin, !w.own)
	setEnabled(r.remove, !w.own)
}
