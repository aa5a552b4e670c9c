// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
)

// controls are the bar under the picture.
type controls struct {
	root    *fyne.Container
	back    *backdrop
	seek    *slide
	play    *widget.Button
	time    *text
	mute    *widget.Button
	volume  *slide
	quality *widget.Button
	full    *widget.Button

	duration time.Duration
}

// controlActions are what the bar can ask for.
type controlActions struct {
	toggle     func()
	seek       func(pos time.Duration, exact bool)
	volume     func(percent int)
	mute       func()
	fullScreen func()
	elsewhere  func(browser bool)
}

func newControls(do controlActions) *controls {
	c := &controls{}
	c.seek = newSlide(func(part float64, final bool) {
		do.seek(time.Duration(part*float64(c.duration)), final)
		c.showTime(time.Duration(part * float64(c.duration)))
	})
	c.seek.label = func(part float64) string { return formatTime(time.Duration(part * float64(c.duration))) }
	c.seek.strip = make([]float32, stripParts)
	c.seek.setDisabled(true)
	c.play = quiet("", theme.MediaPlayIcon(), do.toggle)
	c.time = plainText("")
	c.mute = quiet("", theme.VolumeUpIcon(), do.mute)
	c.volume = newSlide(func(part float64, _ bool) { do.volume(int(part*100 + 0.5)) })
	c.quality = quiet("", nil, nil)
	c.full = quiet("", theme.ViewFullScreenIcon(), do.fullScreen)
	var more *widget.Button
	more = quiet("", theme.MoreVerticalIcon(), func() {
		popUp(more, []string{tr("Open in another player"), tr("Open in the browser")}, -1,
			func(i int) { do.elsewhere(i == 1) })
	})
	c.back = newBackdrop(theme.ColorNameBackground, 0)
	line := row(4, middle(c.play), fixed(130, middle(c.time)), layout.NewSpacer(),
		middle(c.quality), middle(c.mute), fixed(96, middle(c.volume)), middle(more), middle(c.full))
	c.root = container.NewStack(c.back, pad(column(2, c.seek, line), 4, 8))
	c.showTime(0)
	return c
}

// setQualities fills the choice of renditions.
func (c *controls) setQualities(list []quality, chosen int, choose func(int)) {
	if len(list) == 0 || chosen < 0 || chosen >= len(list) {
		c.quality.Hide()
		return
	}
	words := make([]string, len(list))
	for i, q := range list {
		words[i] = q.Label
	}
	c.quality.SetText(shortQuality(list[chosen]))
	c.quality.OnTapped = func() { popUp(c.quality, words, chosen, choose) }
	c.quality.Show()
}

func shortQuality(q quality) string {
	if q.Height == 0 {
		return q.Label
	}
	return tr("%dp", q.Height)
}

// popUp lists choices above a button.
func popUp(at *widget.Button, words []string, chosen int, choose func(int)) {
	items := make([]*fyne.MenuItem, len(words))
	for i, w := range words {
		items[i] = fyne.NewMenuItem(w, func() { choose(i) })
		items[i].Checked = i == chosen
	}
	menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), fyne.CurrentApp().Driver().CanvasForObject(at))
	menu.ShowAtRelativePosition(fyne.NewPos(0, -menu.MinSize().Height), at)
}

// show brings the bar up to date.
func (c *controls) show(s player.State) {
	c.duration = s.Duration
	c.seek.setDisabled(!s.Loaded || s.Duration <= 0)
	icon := theme.MediaPlayIcon()
	switch {
	case s.Ended:
		icon = theme.MediaReplayIcon()
	case s.Playing:
		icon = theme.MediaPauseIcon()
	}
	setIcon(c.play, icon)
	setEnabled(c.play, s.Loaded)
	volume := theme.VolumeUpIcon()
	switch {
	case s.Muted || s.Volume == 0:
		volume = theme.VolumeMuteIcon()
	case s.Volume < 50:
		volume = theme.VolumeDownIcon()
	}
	setIcon(c.mute, volume)
	c.volume.set(float64(s.Volume) / 100)
	if !c.seek.held {
		part := 0.0
		if s.Duration > 0 {
			part = float64(s.Position) / float64(s.Duration)
		}
		c.seek.set(part)
		c.showTime(s.Position)
	}
}

func (c *controls) showTime(at time.Duration) {
	if c.duration <= 0 {
		c.time.set(formatTime(at))
		return
	}
	c.time.set(formatTime(at) + " / " + formatTime(c.duration))
}

// setFullScreen shows whether the window is full.
func (c *controls) setFullScreen(yes bool) {
	icon := theme.ViewFullScreenIcon()
	if yes {
		icon = theme.ViewRestoreIcon()
	}
	setIcon(c.full, icon)
}

// setIcon changes an icon only where it is another one: a button's refresh lays its line out anew.
func setIcon(b *widget.Button, icon fyne.Resource) {
	if b.Icon == nil || b.Icon.Name() != icon.Name() {
		b.SetIcon(icon)
	}
}
