// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
	"shoal/instance"
)

// pane is a part of the instance page.
type pane interface {
	// look brings what is shown up to date, soon.
	look()
}

// instancePage is about the instance of this process: where it is, its videos, and what it does in
// the fediverse.
type instancePage struct {
	root *fyne.Container
	tabs *tabStrip
	body *fyne.Container
	ask  *questions
	loop *loop
	fed  federation

	form      *publishForm
	videos    *videosPane
	following *followingPane
	followers *followersPane
	blocks    *blocksPane
	queue     *queuePane
	refused   *refusedPane
	policy    *policyPane

	parts    []part
	counting bool
	recount  bool // count once more when the count under way has ended
}

// part is a tab with its pane.
type part struct {
	words string
	root  fyne.CanvasObject
	pane  pane // nil where nothing changes by itself
}

// The order of the tabs that others name.
const (
	tabVideos = iota
	tabPublish
	tabFollowing
	tabFollowers
	tabBlocks
	tabQueue
	tabRefused
	tabPolicy
)

func newInstancePage(l *loop, pub publisher, w fyne.Window, resolve func(context.Context, string) (core.Resolved, error), visit, copyText func(string)) *instancePage {
	p := &instancePage{loop: l, fed: pub, ask: &questions{window: w}, body: container.NewStack()}
	p.form = newPublishForm(l, pub, w, visit, copyText)
	p.videos = newVideosPane(l, pub, p.ask, resolve, visit, func(string) { p.show(tabPublish) })
	p.following = newFollowingPane(l, pub, p.ask)
	p.followers = newFollowersPane(l, pub, p.ask)
	p.blocks = newBlocksPane(l, pub, p.ask, w)
	p.queue = newQueuePane(l, pub, p.ask)
	p.refused = newRefusedPane(l, pub, p.ask)
	p.policy = newPolicyPane(l, pub, p.ask)
	p.parts = []part{
		{tr("Videos"), p.videos.root, p.videos},
		{tr("Publish"), container.NewVScroll(pad(column(0, p.form.root), 0, 22)), p.form},
		{tr("Following"), p.following.root, p.following},
		{tr("Followers"), p.followers.root, p.followers},
		{tr("Blocks"), p.blocks.root, p.blocks},
		{tr("Delivery"), p.queue.root, p.queue},
		{tr("Refused"), p.refused.root, p.refused},
		{tr("Policy"), p.policy.root, p.policy},
	}
	var words []string
	for _, x := range p.parts {
		words = append(words, x.words)
	}
	p.tabs = newTabStrip(words, p.chosen)
	for _, x := range p.lists() {
		x.after = p.look
	}

	address := widget.NewLabel(pub.URL())
	address.Selectable = true
	address.Truncation = fyne.TextTruncateEllipsis
	where := container.NewBorder(nil, nil, nil, row(4,
		quiet(tr("Copy"), theme.ContentCopyIcon(), func() { copyText(pub.URL()) }),
		quiet(tr("Show its videos"), nil, func() { visit(pub.URL()) })), address)
	head := container.NewBorder(nil, nil, middle(heading(tr("My instance")).fitted()), nil, pad(where, 0, 12))
	p.root = under(column(6, pad(head, 10, 22), pad(p.tabs.root, 0, 12), gap(1, 2)), p.body)
	p.chosen(tabVideos)
	return p
}

// show goes to a tab.
func (p *instancePage) show(i int) {
	p.tabs.set(i)
	p.chosen(i)
}

func (p *instancePage) chosen(i int) {
	only(p.body, p.parts[i].root)
	p.look()
}

// look brings the tab that is shown up to date, and the numbers at the others.
func (p *instancePage) look() {
	if x := p.parts[p.tabs.chosen].pane; x != nil {
		x.look()
	}
	p.showCounts()
}

// lists are the panes that list something.
func (p *instancePage) lists() []*linesPane {
	return []*linesPane{p.videos.linesPane, p.following.linesPane, p.followers.linesPane, p.blocks.linesPane, p.queue.linesPane, p.refused.linesPane}
}

// showCounts counts anew.
func (p *instancePage) showCounts() {
	if p.counting {
		p.recount = true
		return
	}
	p.counting = true
	task(p.loop, p.count, func(c counts, err error) {
		p.counting = false
		if err == nil { // else the tab says so when it is shown
			p.tabs.setCount(tabFollowers, c.waiting)
			p.tabs.setCount(tabQueue, c.depth)
			p.queue.setDepth(c.depth)
		}
		if p.recount {
			p.recount = false
			p.showCounts()
		}
	})
}

// counts are the numbers at the tabs.
type counts struct {
	waiting int // followers to be answered
	depth   int // deliveries
}

func (p *instancePage) count(context.Context) (counts, error) {
	c := counts{depth: p.fed.QueueDepth()}
	list, err := p.fed.Followers()
	for _, f := range list {
		if f.State == instance.FollowPending {
			c.waiting++
		}
	}
	return c, err
}

// escape answers no where something is asked, or takes a message away.
func (p *instancePage) escape() {
	if p.ask.open != nil {
		p.ask.escape()
		return
	}
	for _, x := range p.lists() {
		x.notice.clear()
	}
	p.policy.notice.clear()
}
