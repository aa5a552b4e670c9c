// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
)

// watchView is what the watch page shows while there is a video.
type watchView struct {
	page    *watchPage
	root    *fyne.Container
	theatre *theatre
	holder  *fyne.Container // holds the theatre unless it is in full screen
	figures *figuresPanel
	notice  *notice

	title       *widget.Label
	channel     *widget.Hyperlink
	facts       *text
	support     *widget.Button
	link        *widget.Button
	closing     *widget.Button
	description *widget.RichText
}

func newWatchView(p *watchPage) *watchView {
	v := &watchView{page: p, figures: newFiguresPanel(), notice: newNotice()}
	v.theatre = newTheatre(controlActions{
		toggle: p.toggle, seek: p.seek, volume: p.setVolume, mute: p.mute,
		fullScreen: p.fullScreen, elsewhere: p.elsewhere,
	})
	v.theatre.stage.tap, v.theatre.stage.double = p.toggle, p.fullScreen
	v.theatre.stage.wheel = func(up bool) {
		if up {
			p.louder(5)
		} else {
			p.louder(-5)
		}
	}
	v.holder = container.NewStack(v.theatre.root)

	v.title = widget.NewLabel("")
	v.title.Wrapping, v.title.SizeName = fyne.TextWrapWord, theme.SizeNameSubHeadingText
	v.title.TextStyle.Bold = true
	v.channel = widget.NewHyperlink("", nil)
	v.channel.Truncation = fyne.TextTruncateEllipsis
	v.channel.OnTapped = func() { p.hooks.visit(p.about.ChannelPage) }
	v.facts = smallText("")
	v.support = quiet(tr("Support"), nil, func() { p.hooks.support(p.about.ChannelPage) })
	v.link = quiet(tr("Copy link"), theme.ContentCopyIcon(), func() { p.hooks.copyText(p.about.Page) })
	v.closing = quiet(tr("Close"), theme.CancelIcon(), p.close)
	v.description = widget.NewRichText()
	v.description.Wrapping = fyne.TextWrapWord

	below := container.NewBorder(nil, nil, nil, middle(row(4, v.support, v.link, v.closing)), column(0, v.channel, pad(v.facts, 0, 8)))
	info := container.NewVScroll(pad(column(0, v.title, below, v.description), 4, 8))
	lower := container.NewBorder(v.notice.root, nil, nil, nil, info)
	side := container.NewVScroll(pad(v.figures.root, 12, 12))
	v.notice.changed = lower.Refresh
	v.root = container.New(watchLayout{}, v.holder, lower, side)
	return v
}

// setAbout shows what is watched.
func (v *watchView) setAbout(a about) {
	v.notice.clear()
	v.title.SetText(a.Title)
	v.channel.SetText(a.Channel)
	v.channel.Hidden = a.Channel == ""
	v.facts.set(a.Facts)
	v.link.Hidden = a.Page == ""
	v.support.Hidden = a.ChannelPage == ""
	setDescription(v.description, a.Description)
	v.theatre.controls.setQualities(a.Heights, a.Chosen, v.page.chooseQuality)
	v.theatre.controls.show(player.State{Volume: 100, Duration: a.Duration})
	v.theatre.controls.seek.setStrip(make([]float32, stripParts))
	v.figures.show(noFigures(!a.Local))
	v.root.Refresh()
}

// holdTheatre puts the theatre into the page, or gives it away to the whole window.
func (v *watchView) holdTheatre(yes bool) {
	if yes {
		v.holder.Objects = []fyne.CanvasObject{v.theatre.root}
	} else {
		v.holder.Objects = nil
	}
	v.holder.Refresh()
}

// noPlayer says why there is no picture and what can be done about it.
func (v *watchView) noPlayer(err error) {
	title := tr("The player did not start")
	if errors.Is(err, player.ErrNoLibrary) {
		title = tr("Shoal needs libmpv to show videos")
	}
	v.theatre.stage.say(state(theme.MediaVideoIcon(), title, message(err), v.others()...))
}

// cannotPlay says why the file does not play.
func (v *watchView) cannotPlay(err error, again func()) {
	v.theatre.stage.say(errorState(tr("This video does not play"), message(err),
		append([]fyne.CanvasObject{primaryPlain(tr("Try again"), again)}, v.others()...)...))
}

// others are the other programs that may show the video.
func (v *watchView) others() []fyne.CanvasObject {
	return []fyne.CanvasObject{
		plainButton(tr("Open in another player"), func() { v.page.elsewhere(false) }),
		plainButton(tr("Open in the browser"), func() { v.page.elsewhere(true) }),
	}
}

// watchLayout places the theatre, what is said about the video, and the figures: those beside where
// there is room, else below.
type watchLayout struct{}

// Sizes of the watch page.
const (
	sideWidth   float32 = 268
	wideFrom    float32 = 760
	infoAtLeast float32 = 132
)

// MinSize implements fyne.Layout.
func (watchLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := objects[0].MinSize()
	return fyne.NewSize(max(m.Width, 360), m.Height+infoAtLeast)
}

// Layout implements fyne.Layout.
func (watchLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left := size.Width
	wide := size.Width >= wideFrom
	if wide {
		left -= sideWidth
	}
	controls := float32(72)
	top := min(left*9/16+controls, max(size.Height-infoAtLeast, objects[0].MinSize().Height))
	if !wide {
		top = min(top, size.Height*0.62)
	}
	place := func(i int, x, y, w, h float32) {
		objects[i].Move(fyne.NewPos(x, y))
		objects[i].Resize(fyne.NewSize(max(w, 0), max(h, 0)))
	}
	place(0, 0, 0, left, top)
	if wide {
		place(1, 0, top, left, size.Height-top)
		place(2, left, 0, sideWidth, size.Height)
		return
	}
	place(1, 0, top, left-min(sideWidth, left/2), size.Height-top)
	place(2, left-min(sideWidth, left/2), top, min(sideWidth, left/2), size.Height-top)
}
