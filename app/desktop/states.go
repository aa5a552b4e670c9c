// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/assets/icons"
)

// emptyState is what a page shows where there is nothing yet: a picture, a title, a sentence and
// what one can do.
func emptyState(title, words string, actions ...fyne.CanvasObject) fyne.CanvasObject {
	fish := theme.NewThemedResource(fyne.NewStaticResource("state-fish.svg", icons.Fish))
	fish.ColorName = colorTrack
	return state(fish, title, words, actions...)
}

// errorState says what failed and what to do.
func errorState(title, words string, actions ...fyne.CanvasObject) fyne.CanvasObject {
	return state(theme.NewErrorThemedResource(theme.WarningIcon()), title, words, actions...)
}

func state(icon fyne.Resource, title, words string, actions ...fyne.CanvasObject) fyne.CanvasObject {
	picture := container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(64), widget.NewIcon(icon)))
	head := subheading(title).aligned(fyne.TextAlignCenter)
	say := widget.NewLabel(words)
	say.Wrapping, say.Alignment = fyne.TextWrapWord, fyne.TextAlignCenter
	all := column(6, picture, head, say)
	if len(actions) > 0 {
		all.Add(container.NewCenter(row(8, actions...)))
	}
	return container.NewCenter(fixed(460, all))
}

// busyState says what is waited for, with a way to give up where cancel is not nil.
func busyState(words string, cancel func()) fyne.CanvasObject {
	spinner := widget.NewActivity()
	spinner.Start()
	all := column(12, container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(40), spinner)),
		dimText(words).aligned(fyne.TextAlignCenter))
	if cancel != nil {
		all.Add(container.NewCenter(widget.NewButton(tr("Cancel"), cancel)))
	}
	return container.NewCenter(fixed(460, all))
}

// primary is the button for what one most likely wants.
func primary(words string, icon fyne.Resource, tap func()) *widget.Button {
	b := widget.NewButtonWithIcon(words, icon, tap)
	b.Importance = widget.HighImportance
	return b
}

// quiet is a button without a background.
func quiet(words string, icon fyne.Resource, tap func()) *widget.Button {
	b := widget.NewButtonWithIcon(words, icon, tap)
	b.Importance = widget.LowImportance
	return b
}

// only shows one object in a container.
func only(c *fyne.Container, object fyne.CanvasObject) {
	c.Objects = []fyne.CanvasObject{object}
	c.Refresh()
}

// primaryPlain is primary without a picture; plainButton an ordinary button.
func primaryPlain(words string, tap func()) *widget.Button { return primary(words, nil, tap) }
func plainButton(words string, tap func()) *widget.Button  { return widget.NewButton(words, tap) }

// relayout lays out a container and all those in it anew: the size of one deep within has changed.
func relayout(c *fyne.Container) {
	for _, o := range c.Objects {
		if inner, ok := o.(*fyne.Container); ok {
			relayout(inner)
		}
	}
	c.Refresh()
}
