// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
)

// rowWords is what a row shows of a swarm. Rows with equal words need no drawing.
type rowWords struct {
	infohash       string
	name, state    string
	stateColor     fyne.ThemeColorName
	size, down, up string
	shared, ratio  string
	part           float64
	complete       bool
	paused, own    bool
	playable       bool
}

// wordsFor puts a swarm into words.
func wordsFor(s core.SwarmInfo) rowWords {
	w := rowWords{
		infohash: s.Infohash, name: oneLine(s.Name, 200), complete: s.Complete, own: s.Own,
		paused: s.Paused || !s.Joined, playable: s.Magnet != "" || s.Page != "",
		down: tr("↓ %s", formatRate(s.Down)), up: tr("↑ %s", formatRate(s.Up)),
		shared: formatBytes(s.Uploaded.Sum()),
		ratio:  tr("ratio %s", formatRatio(s.Uploaded.Sum(), s.Downloaded.Sum())),
	}
	if s.Downloaded.Sum() == 0 {
		w.ratio = tr("shared back")
	}
	if w.name == "" {
		w.name = s.Infohash
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
	case s.Paused:
		return tr("Paused"), colorDim
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

// rowActions are what a row can ask for.
type rowActions struct {
	open, pause, remove func(infohash string)
}

// swarmRow shows one swarm. A list has a few of them, which take turns.
type swarmRow struct {
	widget.BaseWidget
	shown   rowWords
	name    *text
	state   *text
	size    *text
	bar     *shareBar
	down    *text
	up      *text
	shared  *text
	ratio   *text
	open    *widget.Button
	pause   *widget.Button
	remove  *widget.Button
	content fyne.CanvasObject
}

func newSwarmRow(do rowActions) *swarmRow {
	r := &swarmRow{
		name: boldText(""), state: smallText(""), size: smallText(""), bar: newProgress(5),
		down: smallText(""), up: smallText(""), shared: plainText(""), ratio: smallText(""),
	}
	r.open = quiet(tr("Watch"), nil, func() { do.open(r.shown.infohash) })
	r.pause = quiet("", theme.MediaPauseIcon(), func() { do.pause(r.shown.infohash) })
	r.remove = quiet("", theme.DeleteIcon(), func() { do.remove(r.shown.infohash) })
	columns := row(18,
		fixed(150, middle(column(6, r.size, r.bar))),
		fixed(92, middle(column(2, r.down, r.up))),
		fixed(92, middle(column(1, r.shared, r.ratio))),
		row(0, middle(r.open), middle(r.pause), middle(r.remove)),
	)
	r.content = container.NewStack(newBackdrop(colorCard, 10),
		pad(container.NewBorder(nil, nil, nil, columns, pad(middle(column(4, r.name, r.state)), 0, 4)), 9, 12))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *swarmRow) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(pad(r.content, 3, 0))
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
	setEnabled(r.open, w.playable)
	setEnabled(r.remove, !w.own)
}
