// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// instancePage is about the instance of this process: where it is, and publishing.
type instancePage struct {
	root *fyne.Container
	form *publishForm
}

func newInstancePage(l *loop, pub publisher, w fyne.Window, visit, copyText func(string)) *instancePage {
	p := &instancePage{form: newPublishForm(l, pub, w, visit, copyText)}
	address := widget.NewLabel(pub.URL())
	address.Selectable = true
	where := panel(column(8, boldText(tr("Address")),
		container.NewBorder(nil, nil, nil, row(6,
			quiet(tr("Copy"), theme.ContentCopyIcon(), func() { copyText(pub.URL()) }),
			plainButton(tr("Show its videos"), func() { visit(pub.URL()) })), address),
		smallText(tr("Others open this address in Shoal, or in a browser, to find your videos.")).upTo(2)))
	scroll := container.NewVScroll(pad(column(14, where, p.form.root), 6, 22))
	p.root = container.NewBorder(pad(heading(tr("My instance")), 16, 22), nil, nil, nil, scroll)
	return p
}
