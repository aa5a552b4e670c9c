// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
)

// coSeedingPage lists every swarm held.
type coSeedingPage struct {
	loop   *loop
	keeper swarmKeeper
	window fyne.Window
	open   func(address string)
	browse func()
	poll   func() // look at the swarms again, soon

	root   *fyne.Container
	full   fyne.CanvasObject
	list   *widget.List
	totals *text
	notice *notice

	swarms []core.SwarmInfo // newest first
	rows   []rowWords
	empty  bool
	dialog *dialog.CustomDialog
}

func newCoSeedingPage(l *loop, k swarmKeeper, w fyne.Window, open func(string), browse, poll func()) *coSeedingPage {
	p := &coSeedingPage{loop: l, keeper: k, window: w, open: open, browse: browse, poll: poll, root: container.NewStack(), empty: true}
	p.totals, p.notice = dimText(""), newNotice()
	do := rowActions{open: p.play, pause: p.pause, remove: p.askRemove}
	p.list = widget.NewList(func() int { return len(p.rows) },
		func() fyne.CanvasObject { return newSwarmRow(do) },
		func(i widget.ListItemID, o fyne.CanvasObject) {
			if r, ok := o.(*swarmRow); ok && i < len(p.rows) {
				r.show(p.rows[i])
			}
		})
	p.list.HideSeparators = true
	p.list.OnSelected = func(i widget.ListItemID) { p.list.Unselect(i) }
	whom := widget.NewLabel(whomItHelps())
	whom.Wrapping = fyne.TextWrapWord
	whom.SizeName = "helperText"
	head := column(2, heading(tr("Co-seeding")), p.totals)
	p.full = container.NewBorder(
		column(0, pad(head, 16, 22), p.notice.root), pad(whom, 4, 16), nil, nil, pad(p.list, 0, 18))
	p.notice.changed = p.root.Refresh
	only(p.root, p.nothing())
	return p
}

// whomItHelps says truly who gets something from it.
func whomItHelps() string {
	return tr("What you hold here is shared with Shoal, with WebTorrent and BitTorrent peers and with viewers of older PeerTube instances. Viewers of PeerTube 6 and later are not reached yet.")
}

func (p *coSeedingPage) nothing() fyne.CanvasObject {
	return emptyState(tr("You are not co-seeding anything yet"),
		tr("Every video that you watch is shared with the others who watch it. It is listed here, and stays shared until you remove it.")+"\n\n"+whomItHelps(),
		primaryPlain(tr("Browse"), p.browse))
}

// show brings the list up to date. Rows that have not changed are left alone.
func (p *coSeedingPage) show(swarms []core.SwarmInfo) {
	swarms = slices.Clone(swarms)
	slices.Reverse(swarms) // newest first
	p.swarms = swarms
	rows := make([]rowWords, len(swarms))
	for i, s := range swarms {
		rows[i] = wordsFor(s)
	}
	if len(rows) == 0 {
		p.rows = nil
		if !p.empty {
			p.empty = true
			only(p.root, p.nothing())
		}
		return
	}
	p.totals.set(totalsOf(swarms))
	same := slices.EqualFunc(rows, p.rows, func(a, b rowWords) bool { return a.infohash == b.infohash })
	old := p.rows
	p.rows = rows
	if p.empty {
		p.empty = false
		only(p.root, p.full)
	}
	if !same {
		p.list.Refresh()
		return
	}
	for i := range rows {
		if rows[i] != old[i] {
			p.list.RefreshItem(i)
		}
	}
}

// totalsOf sums up all swarms in a line.
func totalsOf(swarms []core.SwarmInfo) string {
	var held, shared, got int64
	var up, down float64
	for _, s := range swarms {
		held += s.Completed
		shared += s.Uploaded.Sum()
		got += s.Downloaded.Sum()
		up += s.Up
		down += s.Down
	}
	return tr("%[1]s · %[2]s on disk · ↓ %[3]s · ↑ %[4]s · %[5]s shared back · ratio %[6]s",
		plural(len(swarms), "%d video", "%d videos"), formatBytes(held), formatRate(down), formatRate(up),
		formatBytes(shared), formatRatio(shared, got))
}

func (p *coSeedingPage) find(infohash string) (core.SwarmInfo, bool) {
	i := slices.IndexFunc(p.swarms, func(s core.SwarmInfo) bool { return s.Infohash == infohash })
	if i < 0 {
		return core.SwarmInfo{}, false
	}
	return p.swarms[i], true
}

// play opens a swarm's video.
func (p *coSeedingPage) play(infohash string) {
	s, ok := p.find(infohash)
	switch {
	case !ok:
	case s.Page != "":
		p.open(s.Page)
	case s.Magnet != "":
		p.open(s.Magnet)
	}
}

// pause pauses a swarm, or takes it up again.
func (p *coSeedingPage) pause(infohash string) {
	s, ok := p.find(infohash)
	if !ok {
		return
	}
	p.do(func(context.Context) error {
		if s.Paused || !s.Joined {
			return p.keeper.ResumeSwarm(infohash)
		}
		return p.keeper.Pause(infohash)
	})
}

// askRemove asks what is to become of the files.
func (p *coSeedingPage) askRemove(infohash string) {
	s, ok := p.find(infohash)
	if !ok || s.Own || p.dialog != nil {
		return
	}
	words := widget.NewLabel(tr("“%s” will no longer be shared. What was fetched can stay on your disk or be deleted; deleting cannot be undone.", wordsFor(s).name))
	words.Wrapping = fyne.TextWrapWord
	d := dialog.NewCustomWithoutButtons(tr("Remove from co-seeding?"), fixed(440, words), p.window)
	p.dialog = d
	d.SetOnClosed(func() { p.dialog = nil })
	remove := func(files bool) func() {
		return func() {
			d.Hide()
			p.do(func(ctx context.Context) error { return p.keeper.Remove(ctx, infohash, files) })
		}
	}
	away := plainButton(tr("Delete files"), remove(true))
	away.Importance = widget.DangerImportance
	d.SetButtons([]fyne.CanvasObject{plainButton(tr("Cancel"), d.Hide), away, primaryPlain(tr("Keep files"), remove(false))})
	d.Show()
}

// do runs an action and says what went wrong.
func (p *coSeedingPage) do(action func(context.Context) error) {
	p.notice.clear()
	act(p.loop, action, func(err error) {
		if err != nil {
			p.notice.fail(message(err))
		}
		p.poll()
	})
}
