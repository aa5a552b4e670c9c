// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"net/url"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/peer/peertube"
)

// catalog asks an instance what it has; *peertube.Client is one.
type catalog interface {
	fetcher
	Config(ctx context.Context, instance string) (peertube.Config, error)
	Videos(ctx context.Context, instance string, o peertube.ListOptions) (peertube.VideoList, error)
	Search(ctx context.Context, instance, query string, o peertube.ListOptions) (peertube.VideoList, error)
	ChannelVideos(ctx context.Context, instance, name string, o peertube.ListOptions) (peertube.VideoList, error)
	AccountVideos(ctx context.Context, instance, name string, o peertube.ListOptions) (peertube.VideoList, error)
}

// pageSize is how many videos a page has.
const pageSize = 24

// shelf is what the page lists: an instance's videos, all or one channel's or account's or those that match.
type shelf struct {
	instance string // scheme://host
	channel  string // name or name@host; "" for all
	account  string // likewise
	query    string
	sort     string
	start    int
}

// listing is an answer to a shelf.
type listing struct {
	name   string // of the instance
	videos peertube.VideoList
}

// browsePage shows an instance's videos as cards.
type browsePage struct {
	loop   *loop
	from   catalog
	thumbs *thumbnails
	open   func(address string) // a video
	visit  func(address string) // an instance
	help   func(address string) // supports an instance, a channel or an account
	own    string               // the instance of this process, which needs no support
	now    func() time.Time

	root    *fyne.Container
	body    *fyne.Container // the state or the cards
	head    fyne.CanvasObject
	name    *text
	host    *text
	search  *widget.Entry
	sorts   *widget.Select
	support *widget.Button
	count   *text
	back    *widget.Button
	forward *widget.Button

	at     shelf
	names  map[string]string // instance to its name
	cancel context.CancelFunc
	drops  []context.CancelFunc // of the pictures on their way
	cards  []*videoCard
}

// sortWord is a choice of order: what people read and what the instance is asked for.
type sortWord struct{ words, ask string }

func sortWords() []sortWord {
	return []sortWord{
		{tr("Newest first"), "-publishedAt"},
		{tr("Most viewed"), "-views"},
		{tr("Most liked"), "-likes"},
		{tr("By name"), "name"},
	}
}

func newBrowsePage(l *loop, from catalog, open, visit func(string)) *browsePage {
	b := &browsePage{
		loop: l, from: from, thumbs: newThumbnails(l, from), open: open, visit: visit,
		help: func(string) {}, now: time.Now, names: make(map[string]string), cancel: func() {},
	}
	b.name, b.host = heading(""), dimText("")
	b.search = widget.NewEntry()
	b.search.SetPlaceHolder(tr("Search this instance"))
	b.search.SetIcon(theme.SearchIcon())
	b.search.OnSubmitted = func(words string) {
		next := b.at
		next.query, next.start = oneLine(words, 200), 0
		b.load(next)
	}
	var words []string
	for _, s := range sortWords() {
		words = append(words, s.words)
	}
	b.sorts = widget.NewSelect(words, nil)
	b.sorts.SetSelectedIndex(0)
	b.sorts.OnChanged = func(string) { b.resort() }
	b.count = smallText("").aligned(fyne.TextAlignCenter)
	b.back = widget.NewButtonWithIcon(tr("Previous"), theme.NavigateBackIcon(), func() { b.turn(-pageSize) })
	b.forward = widget.NewButtonWithIcon(tr("Next"), theme.NavigateNextIcon(), func() { b.turn(pageSize) })
	b.forward.IconPlacement = widget.ButtonIconTrailingText

	b.support = plainButton(tr("Support"), func() {
		b.help(peertube.Location{Instance: b.at.instance, Channel: b.at.channel, Account: b.at.account}.String())
	})
	tools := row(8, b.support, fixed(230, b.search), fixed(146, b.sorts))
	b.head = pad(container.NewBorder(nil, nil, nil, middle(tools), column(2, b.name, b.host)), 16, 22)
	b.body = container.NewStack()
	b.root = container.NewStack()
	b.welcome(nil)
	return b
}

// welcome is the page before an instance was chosen.
func (b *browsePage) welcome(recent []string) {
	var actions []fyne.CanvasObject
	for _, address := range recent[:min(len(recent), 3)] {
		actions = append(actions, widget.NewButton(hostOf(address), func() { b.visit(address) }))
	}
	only(b.root, emptyState(tr("Which instance would you like to watch?"),
		tr("Write the address of a PeerTube or Shoal instance above, or paste a link to a video or a magnet."), actions...))
}

// hostOf shortens an instance's address for people.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host
}

// show opens an instance, or a channel or account of it.
func (b *browsePage) show(l peertube.Location) {
	b.search.SetText("")
	b.load(shelf{
		instance: l.Instance, channel: l.Channel, account: l.Account,
		sort: sortWords()[max(0, b.sorts.SelectedIndex())].ask,
	})
}

// reload asks again.
func (b *browsePage) reload() {
	if b.at.instance != "" {
		b.load(b.at)
	}
}

func (b *browsePage) resort() {
	next := b.at
	next.sort, next.start = sortWords()[max(0, b.sorts.SelectedIndex())].ask, 0
	if next.instance != "" && next.sort != b.at.sort {
		b.load(next)
	}
}

func (b *browsePage) turn(by int) {
	next := b.at
	next.start = max(0, next.start+by)
	b.load(next)
}

// load asks for a shelf and shows it. An earlier question is dropped.
func (b *browsePage) load(s shelf) {
	b.cancel()
	b.dropPictures()
	b.at = s
	b.titles(s)
	only(b.body, busyState(tr("Asking %s…", hostOf(s.instance)), nil))
	only(b.root, container.NewBorder(b.head, nil, nil, nil, b.body))
	known := b.names[s.instance]
	b.cancel = task(b.loop, func(ctx context.Context) (listing, error) {
		return b.ask(ctx, s, known)
	}, func(got listing, err error) {
		if err != nil {
			b.failed(err)
			return
		}
		if len(b.names) > 200 {
			clear(b.names)
		}
		b.names[s.instance] = got.name
		b.titles(s)
		b.fill(got.videos)
	})
}

// ask runs off the window's goroutine.
func (b *browsePage) ask(ctx context.Context, s shelf, known string) (listing, error) {
	o := peertube.ListOptions{Start: s.start, Count: pageSize, Sort: s.sort}
	var got listing
	var err error
	switch {
	case s.query != "":
		got.videos, err = b.from.Search(ctx, s.instance, s.query, o)
	case s.channel != "":
		got.videos, err = b.from.ChannelVideos(ctx, s.instance, s.channel, o)
	case s.account != "":
		got.videos, err = b.from.AccountVideos(ctx, s.instance, s.account, o)
	default:
		got.videos, err = b.from.Videos(ctx, s.instance, o)
	}
	if err != nil {
		return listing{}, err
	}
	got.name = known
	if known == "" {
		got.name = hostOf(s.instance)
		if c, err := b.from.Config(ctx, s.instance); err == nil && c.Instance.Name != "" {
			got.name = oneLine(c.Instance.Name, 80)
		}
	}
	return got, nil
}

func (b *browsePage) titles(s shelf) {
	name := b.names[s.instance]
	if name == "" {
		name = hostOf(s.instance)
	}
	b.name.set(name)
	b.support.Hidden = s.instance == b.own
	switch {
	case s.query != "":
		b.host.set(tr("%[1]s · results for “%[2]s”", hostOf(s.instance), s.query))
	case s.channel != "":
		b.host.set(tr("%[1]s · channel %[2]s", hostOf(s.instance), s.channel))
	case s.account != "":
		b.host.set(tr("%[1]s · account %[2]s", hostOf(s.instance), s.account))
	default:
		b.host.set(hostOf(s.instance))
	}
}

func (b *browsePage) failed(err error) {
	only(b.body, errorState(tr("This instance could not be read"), message(err),
		primary(tr("Try again"), theme.ViewRefreshIcon(), b.reload)))
}

func (b *browsePage) fill(list peertube.VideoList) {
	b.cards = nil
	if len(list.Data) == 0 {
		if b.at.query != "" {
			only(b.body, emptyState(tr("Nothing found"), tr("No video of this instance matches. Try other words."),
				widget.NewButton(tr("Show all videos"), func() { b.search.SetText(""); b.search.OnSubmitted("") })))
			return
		}
		only(b.body, emptyState(tr("No videos here yet"), tr("This instance has not published anything that everybody may see."),
			widget.NewButton(tr("Look again"), b.reload)))
		return
	}
	grid := container.New(&cardGrid{minWidth: 232, gap: 18, below: cardBelow})
	instance := b.at.instance
	for _, v := range list.Data[:min(len(list.Data), 100)] {
		id := v.UUID
		if id == "" {
			id = v.ShortUUID
		}
		address := peertube.Location{Instance: instance, VideoID: id}.String()
		card := newVideoCard(v, b.now(), func() { b.open(address) })
		b.cards = append(b.cards, card)
		grid.Add(card)
		b.drops = append(b.drops, b.thumbs.get(instance, pictureOf(v), card.show))
	}
	b.pager(int(list.Total), len(list.Data))
	foot := container.NewCenter(row(12, b.back, middle(fixed(170, b.count)), b.forward))
	scroll := container.NewVScroll(pad(column(18, grid, foot), 4, 22))
	only(b.body, scroll)
}

// pictureOf chooses the picture that suits a card.
func pictureOf(v peertube.Video) string {
	best, bestWidth := v.ThumbnailPath, peertube.Int(0)
	if best != "" {
		return best
	}
	for _, t := range v.Thumbnails {
		if best == "" || (bestWidth < thumbnailWidth && t.Width > bestWidth) || (t.Width >= thumbnailWidth && t.Width < bestWidth) {
			best, bestWidth = t.FileURL, t.Width
		}
	}
	if best == "" {
		best = v.PreviewPath
	}
	return best
}

func (b *browsePage) pager(total, shown int) {
	b.count.set(tr("%[1]d to %[2]d of %[3]d", b.at.start+1, b.at.start+shown, max(total, b.at.start+shown)))
	setEnabled(b.back, b.at.start > 0)
	setEnabled(b.forward, b.at.start+shown < total)
}

func (b *browsePage) dropPictures() {
	for _, drop := range b.drops {
		drop()
	}
	b.drops = nil
}

func setEnabled(w fyne.Disableable, yes bool) {
	if yes {
		w.Enable()
	} else {
		w.Disable()
	}
}
