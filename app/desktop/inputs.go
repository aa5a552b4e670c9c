// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import "fyne.io/fyne/v2/widget"

// The inputs of a page that scrolls: each comes into view when the keyboard comes to it.

type inputEntry struct {
	widget.Entry
	reveal func()
}

func newInputEntry(reveal func()) *inputEntry {
	e := &inputEntry{reveal: reveal}
	e.ExtendBaseWidget(e)
	return e
}

// FocusGained implements fyne.Focusable.
func (e *inputEntry) FocusGained() { e.Entry.FocusGained(); e.reveal() }

type inputChoice struct {
	widget.SelectEntry
	reveal func()
}

func newInputChoice(reveal func()) *inputChoice {
	e := &inputChoice{reveal: reveal}
	e.ExtendBaseWidget(e)
	return e
}

// FocusGained implements fyne.Focusable.
func (e *inputChoice) FocusGained() { e.SelectEntry.FocusGained(); e.reveal() }

type inputCheck struct {
	widget.Check
	reveal func()
}

func newInputCheck(words string, changed func(bool), reveal func()) *inputCheck {
	b := &inputCheck{reveal: reveal}
	b.Text, b.OnChanged = words, changed
	b.ExtendBaseWidget(b)
	return b
}

// FocusGained implements fyne.Focusable.
func (b *inputCheck) FocusGained() { b.Check.FocusGained(); b.reveal() }
