// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
)

// boundsStrip says which limits are in force, where there are some.
type boundsStrip struct {
	root    *fyne.Container
	words   *text
	changed func()
}

func newBoundsStrip(change func()) *boundsStrip {
	s := &boundsStrip{words: newText("", theme.ColorNameWarning, theme.SizeNameText), changed: func() {}}
	line := container.NewBorder(nil, nil, middle(widget.NewIcon(theme.NewWarningThemedResource(theme.InfoIcon()))), quiet(tr("Change"), nil, change), pad(middle(s.words), 0, 8))
	s.root = pad(container.NewStack(newBackdrop(colorCard, 8), pad(line, 0, 12)), 2, 22)
	s.root.Hide()
	return s
}

// show says it, or nothing.
func (s *boundsStrip) show(words string) {
	if s.words.words == words {
		return
	}
	s.words.set(words)
	s.root.Hidden = words == ""
	s.changed()
}

// boundsWords says which limits are in force, "" where there are none.
func boundsWords(l core.Limits) string {
	if l.Metered {
		return tr("Metered connection: only what you watch is fetched, and nothing is given.")
	}
	var rates []string
	if l.Upload > 0 {
		rates = append(rates, tr("↑ %s", formatRate(float64(l.Upload))))
	}
	if l.Download > 0 {
		rates = append(rates, tr("↓ %s", formatRate(float64(l.Download))))
	}
	switch {
	case l.Scheduled && len(rates) == 0:
		return tr("Your schedule lifts the speed limits now.")
	case l.Scheduled:
		return tr("Your schedule limits the speed now: %s.", strings.Join(rates, ", "))
	case len(rates) > 0:
		return tr("Your settings limit the speed: %s.", strings.Join(rates, ", "))
	}
	return ""
}
