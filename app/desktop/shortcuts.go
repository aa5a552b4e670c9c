// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// keys wires the keyboard. Plain keys reach the watch page only where nothing has the keyboard, so
// never while somebody types.
func (w *mainWindow) keys() {
	c := w.win.Canvas()
	c.SetOnTypedKey(func(k *fyne.KeyEvent) {
		switch {
		case w.at == placeWatch && pressKey(k.Name, w.watch):
		case k.Name == fyne.KeyF5:
			w.reload()
		case k.Name == fyne.KeyEscape && w.at == placeInstance:
			w.instance.escape()
			w.bar.escape()
		case k.Name == fyne.KeyEscape && w.at == placeCoSeeding:
			w.coSeeding.escape()
			w.bar.escape()
		case k.Name == fyne.KeyEscape:
			w.bar.escape()
		}
	})
	on := func(key fyne.KeyName, do func()) {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { do() })
	}
	on(fyne.KeyL, func() { c.Focus(w.bar.entry) })
	on(fyne.KeyR, w.reload)
	on(fyne.KeyQ, w.askQuit)
	on(fyne.KeyW, w.askQuit)
	pages := []place{placeBrowse, placeWatch, placeCoSeeding, placeSettings}
	if w.instance != nil {
		pages = append(pages, placeInstance)
	}
	on(fyne.KeyPageDown, func() { w.stepTab(1) })
	on(fyne.KeyPageUp, func() { w.stepTab(-1) })
	for i, p := range pages {
		on(fyne.KeyName(rune('1'+i)), func() { w.goTo(p) })
	}
}

// stepTab goes to the next tab of the page, or the one before.
func (w *mainWindow) stepTab(by int) {
	switch w.at {
	case placeInstance:
		w.instance.tabs.step(by)
	case placeCoSeeding:
		w.coSeeding.tabs.step(by)
	case placeSettings:
		w.settings.tabs.step(by)
	default:
	}
}

func (w *mainWindow) reload() {
	switch w.at {
	case placeBrowse:
		w.browse.reload()
	case placeInstance:
		w.instance.look()
	case placeCoSeeding:
		w.coSeeding.look()
		w.look()
	default:
	}
}
