// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
)

// heldPane lists every swarm held.
type heldPane struct {
	loop     *loop
	keeper   swarmKeeper
	ask      *questions
	open     func(address string)
	browse   func()
	copyText func(string)
	poll     func() // look at the swarms again, soon

	root   *fyne.Container
	full   fyne.CanvasObject
	body   *fyne.Container // the list, or that none matches
	search *widget.Entry
	which  *widget.Select
	sorted *widget.Select
	list   *swarmList
	notice *notice

	swarms  []core.SwarmInfo // oldest first
	bounded bool
	empty   bool
	none    bool // nothing matches
}

func newHeldPane(l *loop, k swarmKeeper, ask *questions, open, copyText func(string), browse, poll func()) *heldPane {
	p := &heldPane{loop: l, keeper: k, ask: ask, open: open, copyText: copyText, browse: browse, poll: poll, root: container.NewStack(), body: container.NewStack(), empty: true}
	p.notice = newNotice()
	p.list = newSwarmList(p.do)
	p.search = widget.NewEntry()
	p.search.SetPlaceHolder(tr("Find by name"))
	p.search.SetIcon(theme.SearchIcon())
	p.search.OnChanged = func(string) { p.arrange() }
	choice := func(words []string) *widget.Select {
		s := widget.NewSelect(words, nil)
		s.SetSelectedIndex(0)
		s.OnChanged = func(string) { p.arrange() }
		return s
	}
	p.which, p.sorted = choice(showingWords()), choice(orderWords())
	tools := container.NewBorder(nil, nil, nil, row(8, fixed(160, p.which), fixed(160, p.sorted)), p.search)
	whom := smallText(whomItHelps()).flowing(3)
	top := column(0, pad(tools, 4, 22), p.notice.root, gap(1, 4))
	foot := pad(whom, 8, 22)
	p.full = container.New(layoutTopFoot(top, foot), top, pad(p.body, 0, 18), foot)
	p.notice.changed = p.root.Refresh
	only(p.body, p.list)
	only(p.root, p.nothing())
	return p
}

// whomItHelps says truly who gets something from it.
func whomItHelps() string {
	return tr("What you hold here is shared with Shoal, with WebTorrent and BitTorrent peers and with viewers of older PeerTube instances. Viewers of PeerTube 6 and later are not reached yet.")
}

func (p *heldPane) nothing() fyne.CanvasObject {
	return container.NewVScroll(emptyState(tr("You are not co-seeding anything yet"),
		tr("Every video that you watch is shared with the others who watch it. It is listed here, and stays shared until you remove it, a limit of yours is reached, or room is needed.")+"\n\n"+whomItHelps(),
		primaryPlain(tr("Browse"), p.browse)))
}

// show brings the list up to date.
func (p *heldPane) show(swarms []core.SwarmInfo, bounded bool) {
	p.swarms, p.bounded = swarms, bounded
	if p.empty != (len(swarms) == 0) {
		p.empty = len(swarms) == 0
		if p.empty {
			only(p.root, p.nothing())
		} else {
			only(p.root, p.full)
		}
	}
	p.arrange()
}

// arrange shows the videos that are asked for, in the order that is asked for.
func (p *heldPane) arrange() {
	list := arrange(p.swarms, showing(max(0, p.which.SelectedIndex())), order(max(0, p.sorted.SelectedIndex())), oneLine(p.search.Text, 200))
	p.list.show(list, p.bounded)
	if none := len(list) == 0; p.none != none {
		p.none = none
		if !none {
			only(p.body, p.list)
			return
		}
		only(p.body, emptyState(tr("No video matches"), tr("None of the videos held is one of these."), plainButton(tr("Show all"), func() {
			p.search.SetText("")
			p.which.SetSelectedIndex(0)
		})))
	}
}

func (p *heldPane) find(infohash string) (core.SwarmInfo, bool) {
	i := slices.IndexFunc(p.swarms, func(s core.SwarmInfo) bool { return s.Infohash == infohash })
	if i < 0 {
		return core.SwarmInfo{}, false
	}
	return p.swarms[i], true
}

// do does what a row, its menu or a key asks for.
func (p *heldPane) do(infohash string, a rowAct) {
	s, ok := p.find(infohash)
	if !ok {
		return
	}
	switch a {
	case rowOpen:
		if address := addressOfSwarm(s); address != "" {
			p.open(address)
		}
	case rowCopy:
		p.copyText(addressOfSwarm(s))
	case rowPause:
		p.act(func(context.Context) error {
			if s.Paused || !s.Joined {
				return p.keeper.ResumeSwarm(infohash)
			}
			return p.keeper.Pause(infohash)
		})
	case rowPin:
		if !s.Own {
			p.act(func(context.Context) error { return p.keeper.SetPinned(infohash, !s.Pinned) })
		}
	case rowRemove:
		p.askRemove(s)
	}
}

// addressOfSwarm is what opens a swarm's video, "" where nothing does.
func addressOfSwarm(s core.SwarmInfo) string {
	if s.Page != "" {
		return s.Page
	}
	return s.Magnet
}

// askRemove asks what is to become of the files.
func (p *heldPane) askRemove(s core.SwarmInfo) {
	if s.Own {
		return
	}
	words := tr("“%s” will no longer be shared. What was fetched can stay on your disk or be deleted; deleting cannot be undone.", nameOf(s))
	if s.SupportedBy != "" {
		words += "\n\n" + tr("It is held for a creator you support. It will not be fetched for them again.")
	}
	remove := func(files bool) func() {
		return func() {
			p.act(func(ctx context.Context) error { return p.keeper.Remove(ctx, s.Infohash, files) })
		}
	}
	p.ask.ask(tr("Remove from co-seeding?"), words,
		choice{words: tr("Delete files"), danger: true, do: remove(true)},
		choice{words: tr("Keep files"), do: remove(false)})
}

// act runs an action and says what went wrong.
func (p *heldPane) act(action func(context.Context) error) {
	p.notice.clear()
	act(p.loop, action, func(err error) {
		if err != nil {
			p.notice.fail(message(err))
		}
		p.poll()
	})
}
