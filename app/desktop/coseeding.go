// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"shoal/app/core"
	"shoal/peer/library"
)

// coSeedingPage is about what is shared: the videos held, the creators supported, and who can reach
// this machine.
type coSeedingPage struct {
	settings settings
	root     *fyne.Container
	tabs     *tabStrip
	body     *fyne.Container
	ask      *questions

	held    *heldPane
	support *supportPane
	reach   *reachPane

	totals *text
	disk   *text
	used   *shareBar
	bounds *boundsStrip
}

// The order of the tabs.
const (
	tabHeld = iota
	tabSupport
	tabReach
)

// coSeedingHooks are what the page asks of the window.
type coSeedingHooks struct {
	open     func(address string) // a video
	visit    func(address string) // a channel, an account or an instance
	browse   func()
	settings func(key string) // shows a setting
	copyText func(string)
	poll     func() // look at the swarms again, soon
}

func newCoSeedingPage(l *loop, b sharer, s settings, w fyne.Window, do coSeedingHooks) *coSeedingPage {
	p := &coSeedingPage{settings: s, body: container.NewStack(), ask: &questions{window: w}}
	p.held = newHeldPane(l, b, p.ask, do.open, do.copyText, do.browse, do.poll)
	p.support = newSupportPane(l, b, p.ask, do.visit)
	p.reach = newReachPane(l, b, do.settings)
	p.totals, p.disk, p.used = dimText(""), smallText("").aligned(fyne.TextAlignTrailing), newProgress(5)
	p.bounds = newBoundsStrip(func() { do.settings("network.metered") })
	p.tabs = newTabStrip([]string{tr("Videos"), tr("Creators you support"), tr("Reachability")}, p.chosen)
	head := container.NewBorder(nil, nil, nil, fixed(250, middle(column(5, p.disk, p.used))), column(2, heading(tr("Co-seeding")), p.totals))
	p.root = under(column(4, pad(head, 10, 22), p.bounds.root, pad(p.tabs.root, 0, 12), gap(1, 2)), p.body)
	p.bounds.changed = func() { relayout(p.root) }
	p.chosen(tabHeld)
	p.show(nil)
	return p
}

// layoutTopFoot stands one object at the top, one at the foot, and gives the rest the room between; the
// keyboard comes to them in the order they are put in.
func layoutTopFoot(top, foot fyne.CanvasObject) fyne.Layout {
	return layout.NewBorderLayout(top, foot, nil, nil)
}

// goTo goes to a tab.
func (p *coSeedingPage) goTo(i int) {
	p.tabs.set(i)
	p.chosen(i)
}

func (p *coSeedingPage) chosen(i int) {
	switch i {
	case tabSupport:
		only(p.body, p.support.root)
	case tabReach:
		only(p.body, p.reach.root)
	default:
		only(p.body, p.held.root)
	}
	p.look()
}

// look brings the tab that is shown up to date, where that is not show's doing.
func (p *coSeedingPage) look() {
	switch p.tabs.chosen {
	case tabSupport:
		p.support.look()
	case tabReach:
		p.reach.look()
	}
}

// show brings the swarms up to date.
func (p *coSeedingPage) show(swarms []core.SwarmInfo) {
	bounds := p.settings.Get().Sharing
	p.totals.set(totalsOf(swarms))
	kept := int64(0)
	for _, s := range swarms {
		if s.Keep.Reason != library.ReasonOwn {
			kept += s.Completed
		}
	}
	color := theme.ColorNamePrimary
	if bounds.Budget <= 0 {
		p.disk.set(tr("%s on disk, no budget", formatBytes(kept)))
		p.used.set(0)
	} else {
		p.disk.set(tr("%[1]s of %[2]s on disk", formatBytes(kept), formatBytes(bounds.Budget)))
		p.used.set(float64(kept) / float64(bounds.Budget))
		if kept > bounds.Budget {
			color = theme.ColorNameWarning
		}
	}
	p.used.setColor(color)
	p.held.show(swarms, bounds.Budget > 0 || bounds.KeepFree > 0)
}

// escape answers no where something is asked, or takes a message away.
func (p *coSeedingPage) escape() {
	if p.ask.open != nil {
		p.ask.escape()
		return
	}
	p.held.notice.clear()
	p.support.notice.clear()
}

// totalsOf sums up all swarms in a line.
func totalsOf(swarms []core.SwarmInfo) string {
	var shared, got int64
	for _, s := range swarms {
		shared += s.Uploaded.Sum()
		got += s.Downloaded.Sum()
	}
	return tr("%[1]s · %[2]s shared back · ratio %[3]s",
		plural(len(swarms), "%d video", "%d videos"), formatBytes(shared), formatRatio(shared, got))
}
