// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"shoal/app/config"
)

// introWords is what everybody should know before the first video.
func introWords() string {
	return tr("Shoal fetches videos from the people who watch them and shares them on while you watch, and afterwards until you remove them.") +
		"\n\n" + tr("For that, the others in a video's swarm see your IP address, and you see theirs. Whoever is in the swarm can tell which video you watch. If you would rather not be seen, use a VPN or do not watch here.") +
		"\n\n" + tr("You find what you share under Co-seeding, and can stop it there at any time.")
}

// showIntro says it once. done is called when it was read, by the button that is returned.
func showIntro(l *loop, s settings, w fyne.Window, done func()) *widget.Button {
	words := widget.NewLabel(introWords())
	words.Wrapping = fyne.TextWrapWord
	mark := canvas.NewImageFromResource(programIcon())
	mark.FillMode = canvas.ImageFillContain
	mark.SetMinSize(fyne.NewSquareSize(72))
	d := dialog.NewCustomWithoutButtons(tr("Welcome to Shoal"), fixed(480, column(8, container.NewCenter(mark), words)), w)
	ok := primaryPlain(tr("I understand"), func() {
		d.Hide()
		act(l, func(context.Context) error {
			return s.Update(func(c *config.Config) { c.IntroSeen = true })
		}, func(error) {}) // a folder that cannot be written shows the word again
		done()
	})
	d.SetButtons([]fyne.CanvasObject{ok})
	d.Show()
	w.Canvas().Focus(ok)
	return ok
}
