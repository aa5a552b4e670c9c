// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import "io"

// Options say how to open the window.
type Options struct {
	// Argument is opened at once: an instance's address, a watch page, a magnet or a file. Empty
	// opens what the settings say.
	Argument string
	// Version is shown in the settings.
	Version string
	// NullAudio plays without putting out sound.
	NullAudio bool
	// Report gets one JSON object a line each second: what the window shows and plays. Tests read it.
	Report io.Writer
}
