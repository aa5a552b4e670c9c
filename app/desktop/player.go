// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"shoal/player"
	"shoal/player/surface"
)

// mediaPlayer plays one file at a time; *player.Player is one. Only Load and Close wait.
type mediaPlayer interface {
	Load(ctx context.Context, video, audio player.Opener) error
	Play()
	Pause()
	Toggle()
	Seek(pos time.Duration, exact bool)
	SetVolume(percent int)
	SetMuted(muted bool)
	Stop()
	Close() error
	State() player.State
	Watch() (changed <-chan struct{}, stop func())
}

// screen is a player and the widget that shows its pictures.
type screen struct {
	mediaPlayer
	surface fyne.CanvasObject
	painted func() int64 // frames handed to the screen
	hide    func()       // frees the surface
}

// screenMaker makes them; start may wait, face is called on the window's goroutine.
type screenMaker struct {
	start func() (mediaPlayer, error)
	face  func(mediaPlayer) *screen
}

// mpvScreens plays with libmpv.
func mpvScreens(o player.Options) screenMaker {
	return screenMaker{
		start: func() (mediaPlayer, error) {
			p, err := player.New(o)
			if err != nil {
				return nil, err
			}
			return p, nil
		},
		face: func(m mediaPlayer) *screen {
			p, ok := m.(*player.Player)
			if !ok {
				return &screen{mediaPlayer: m, painted: func() int64 { return 0 }, hide: func() {}}
			}
			s := surface.New(p)
			return &screen{mediaPlayer: m, surface: s, painted: s.Painted, hide: s.Close}
		},
	}
}
