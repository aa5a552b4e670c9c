// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
)

// maxAddress bounds what is typed or pasted, in bytes. A magnet with many trackers has a few thousand.
const maxAddress = 64 << 10

// addressBar takes an instance, a watch page, a magnet or a file, finds out what it is and hands it on.
type addressBar struct {
	loop    *loop
	resolve func(ctx context.Context, arg string) (core.Resolved, error)
	show    func(arg string, r core.Resolved)
	recent  func() []string

	root    *fyne.Container
	entry   *addressEntry
	button  *widget.Button
	busy    *widget.ProgressBarInfinite
	notice  *notice
	working bool
	cancel  context.CancelFunc
}

func newAddressBar(l *loop, resolve func(context.Context, string) (core.Resolved, error), recent func() []string, show func(string, core.Resolved)) *addressBar {
	b := &addressBar{loop: l, resolve: resolve, recent: recent, show: show, cancel: func() {}}
	b.entry = newAddressEntry(b.escape)
	b.entry.SetPlaceHolder(tr("Instance, link to a video, or magnet"))
	b.entry.OnSubmitted = b.open
	more := widget.NewButtonWithIcon("", theme.MenuDropDownIcon(), b.dropDown)
	more.Importance = widget.LowImportance
	b.entry.ActionItem = more
	b.button = primary(tr("Open"), theme.NavigateNextIcon(), b.press)
	b.busy = widget.NewProgressBarInfinite()
	b.busy.Stop()
	b.busy.Hide()
	b.notice = newNotice()
	line := container.NewBorder(nil, nil, nil, fixed(110, b.button), b.entry)
	b.root = column(0,
		container.NewStack(newBackdrop(theme.ColorNameHeaderBackground, 0), pad(line, 10, 16)),
		container.New(thinLayout{3}, b.busy), b.notice.root)
	b.notice.changed = b.root.Refresh
	return b
}

// thinLayout gives its object a height of its own choosing.
type thinLayout struct{ height float32 }

// MinSize implements fyne.Layout.
func (l thinLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(10, l.height) }

// Layout implements fyne.Layout.
func (l thinLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(size.Width, l.height))
	objects[0].Move(fyne.NewPos(0, 0))
}

func (b *addressBar) press() {
	if b.working {
		b.stop()
		return
	}
	b.open(b.entry.Text)
}

// escape gives up what is under way, or takes the message away.
func (b *addressBar) escape() {
	b.stop()
	b.notice.clear()
}

// open finds out what an address is.
func (b *addressBar) open(arg string) {
	b.stop()
	b.notice.clear()
	arg = strings.TrimSpace(arg)
	switch {
	case arg == "":
		b.notice.fail(tr("Write the address of an instance, a link to a video or a magnet, then press Enter."))
		return
	case len(arg) > maxAddress:
		b.notice.fail(tr("This is too long for an address. Paste a link or a magnet."))
		return
	}
	if len(arg) <= 2048 && b.entry.Text != arg {
		b.entry.SetText(arg)
	}
	b.setWorking(true)
	b.cancel = task(b.loop, func(ctx context.Context) (core.Resolved, error) { return b.resolve(ctx, arg) },
		func(r core.Resolved, err error) {
			b.setWorking(false)
			if err != nil {
				b.notice.fail(message(err))
				return
			}
			b.show(arg, r)
		})
}

// stop gives up what is under way.
func (b *addressBar) stop() {
	b.cancel()
	b.setWorking(false)
}

func (b *addressBar) setWorking(yes bool) {
	if b.working == yes {
		return
	}
	b.working = yes
	if yes {
		b.button.SetText(tr("Cancel"))
		b.button.SetIcon(theme.CancelIcon())
		b.busy.Show()
		b.busy.Start()
		return
	}
	b.button.SetText(tr("Open"))
	b.button.SetIcon(theme.NavigateNextIcon())
	b.busy.Stop()
	b.busy.Hide()
}

// dropDown lists the instances opened last.
func (b *addressBar) dropDown() {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(b.entry)
	var items []*fyne.MenuItem
	for _, address := range b.recent() {
		items = append(items, fyne.NewMenuItem(hostOf(address), func() { b.open(address) }))
	}
	if len(items) == 0 {
		none := fyne.NewMenuItem(tr("Instances that you open are listed here"), nil)
		none.Disabled = true
		items = append(items, none)
	}
	menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), canvas)
	menu.ShowAtRelativePosition(fyne.NewPos(0, b.entry.Size().Height), b.entry)
	menu.Resize(fyne.NewSize(b.entry.Size().Width, menu.MinSize().Height))
}

// addressEntry is an entry that hears Escape.
type addressEntry struct {
	widget.Entry
	escape func()
}

func newAddressEntry(escape func()) *addressEntry {
	e := &addressEntry{escape: escape}
	e.Wrapping = fyne.TextWrap(fyne.TextTruncateClip)
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey implements fyne.Focusable.
func (e *addressEntry) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape {
		e.escape()
		return
	}
	e.Entry.TypedKey(k)
}

// notice is a sentence in a strip that can be put away.
type notice struct {
	root    *fyne.Container
	words   *widget.Label
	changed func() // lays out what is around anew
}

func newNotice() *notice {
	n := &notice{words: widget.NewLabel(""), changed: func() {}}
	n.words.Wrapping = fyne.TextWrapWord
	n.words.Importance = widget.DangerImportance
	icon := widget.NewIcon(theme.NewErrorThemedResource(theme.WarningIcon()))
	away := quiet("", theme.CancelIcon(), func() { n.clear() })
	line := container.NewBorder(nil, nil, middle(icon), middle(away), n.words)
	n.root = pad(container.NewStack(newBackdrop(colorCard, 8), pad(line, 2, 12)), 8, 16)
	n.root.Hide()
	return n
}

// fail shows what went wrong.
func (n *notice) fail(words string) {
	n.words.Importance = widget.DangerImportance
	n.words.SetText(words)
	n.root.Show()
	n.changed()
}

// clear takes the strip away.
func (n *notice) clear() {
	if n.root.Visible() {
		n.words.SetText("")
		n.root.Hide()
		n.changed()
	}
}

// shown is the sentence shown, "" for none.
func (n *notice) shown() string { return n.words.Text }
