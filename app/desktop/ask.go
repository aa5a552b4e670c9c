// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// choice is an answer to a question.
type choice struct {
	words  string
	danger bool // cannot be undone
	do     func()
}

// questions asks one question at a time over a window. Escape means no.
type questions struct {
	window fyne.Window
	open   *dialog.CustomDialog
	leave  func() // answers no
}

// ask shows a question with its answers; the one that changes nothing stands first and has the
// keyboard.
func (q *questions) ask(title, words string, choices ...choice) {
	q.askElse(title, words, func() {}, choices...)
}

// askElse is ask with something to do when the answer is no.
func (q *questions) askElse(title, words string, no func(), choices ...choice) {
	say := widget.NewLabel(words)
	say.Wrapping = fyne.TextWrapWord
	q.show(title, fixed(440, say), tr("Cancel"), no, choices...)
}

// show asks with any content above the answers. away names the answer that changes nothing.
func (q *questions) show(title string, content fyne.CanvasObject, away string, no func(), choices ...choice) {
	if q.open != nil {
		return
	}
	d := dialog.NewCustomWithoutButtons(title, content, q.window)
	q.open = d
	d.SetOnClosed(func() { q.open = nil })
	leave := func() { d.Hide(); no() }
	q.leave = leave
	first := newChoiceButton(away, leave, leave)
	buttons := []fyne.CanvasObject{first}
	for _, c := range choices {
		b := newChoiceButton(c.words, func() { d.Hide(); c.do() }, leave)
		b.Importance = widget.HighImportance
		if c.danger {
			b.Importance = widget.DangerImportance
		}
		buttons = append(buttons, b)
	}
	d.SetButtons(buttons)
	d.Show()
	q.window.Canvas().Focus(first)
}

// escape answers no where something is asked.
func (q *questions) escape() {
	if q.open != nil {
		q.leave()
	}
}

// choiceButton is a button that Enter presses too, and that Escape gives up.
type choiceButton struct {
	widget.Button
	escape func()
}

func newChoiceButton(words string, tap, escape func()) *choiceButton {
	b := &choiceButton{escape: escape}
	b.Text, b.OnTapped = words, tap
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey implements fyne.Focusable.
func (b *choiceButton) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		b.Tapped(nil)
	case fyne.KeyEscape:
		b.escape()
	}
}

// details shows a longer text in full, to be read and copied, with what can be done about it.
func (q *questions) details(title, words string, choices ...choice) {
	say := widget.NewLabel(words)
	say.Wrapping, say.Selectable = fyne.TextWrapWord, true
	say.SizeName = theme.SizeNameText
	q.show(title, fixed(520, say), tr("Close"), func() {}, choices...)
}
