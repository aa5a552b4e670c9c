// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"time"

	"fyne.io/fyne/v2"
)

// keyTarget is what the keys of the watch page work on.
type keyTarget interface {
	toggle()
	skip(by time.Duration)
	seekPart(part float64)
	louder(by int)
	mute()
	fullScreen()
	leaveFullScreen()
}

// pressKey does what a key stands for while a video is shown and nothing has the keyboard. It
// reports whether the key has a meaning.
func pressKey(k fyne.KeyName, on keyTarget) bool {
	switch k {
	case fyne.KeySpace, fyne.KeyK:
		on.toggle()
	case fyne.KeyLeft:
		on.skip(-5 * time.Second)
	case fyne.KeyRight:
		on.skip(5 * time.Second)
	case fyne.KeyJ:
		on.skip(-10 * time.Second)
	case fyne.KeyL:
		on.skip(10 * time.Second)
	case fyne.KeyUp:
		on.louder(5)
	case fyne.KeyDown:
		on.louder(-5)
	case fyne.KeyM:
		on.mute()
	case fyne.KeyF, fyne.KeyF11:
		on.fullScreen()
	case fyne.KeyEscape:
		on.leaveFullScreen()
	default:
		if len(k) != 1 || k[0] < '0' || k[0] > '9' {
			return false
		}
		on.seekPart(float64(k[0]-'0') / 10)
	}
	return true
}
