// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build cgo

package desktop

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"shoal/app/core"
	"shoal/player"
	"shoal/player/handoff"
)

// Available reports whether this build has a window.
const Available = true

// appID names the program towards the desktop; FyneApp.toml has the same.
const appID = "video.shoal.Shoal"

// shutdownWait bounds how long the window waits for its goroutines.
const shutdownWait = 5 * time.Second

// Run opens the window and returns when it is closed or ctx ends. It must be called on the program's
// first goroutine.
func Run(ctx context.Context, a *core.App, o Options) error {
	if err := addTranslations(); err != nil {
		return err
	}
	fyneApp := app.NewWithID(appID)
	fyneApp.SetIcon(programIcon())
	fyneApp.Settings().SetTheme(newTheme())
	l := newLoop(ctx, fyne.Do)
	defer l.close(shutdownWait)

	w := newMainWindow(fyneApp, l, parts{
		program:   appProgram{a},
		catalog:   a.PeerTube(),
		settings:  a.Config(),
		publisher: publisherOf(a),
		screens:   mpvScreens(player.Options{NullAudio: o.NullAudio, Logger: a.Logger()}),
		dataDir:   a.DataDir(),
		openBrowser: func(address string) error {
			u, err := url.Parse(address)
			if err != nil {
				return fmt.Errorf("reading address: %w", err)
			}
			return fyneApp.OpenURL(u)
		},
		openPlayer: handoff.OpenExternal,
	}, o)
	a.OnOpen(func(arg string) { go l.do(l.ctx, func() { w.handedOver(arg) }) })
	defer a.OnOpen(nil)
	fyneApp.Lifecycle().SetOnStarted(func() {
		w.start()
		if o.Report != nil {
			w.report(o.Report)
		}
	})
	stop := context.AfterFunc(ctx, func() {
		fyne.Do(func() {
			// Fyne ends by SIGTERM on its own too. Where it was first, this runs here, and its window panics.
			defer func() {
				if r := recover(); r != nil {
					a.Logger().Debug("the window had ended before", "panic", r)
				}
			}()
			w.end()
		})
	})
	defer stop()
	w.win.ShowAndRun()

	l.stop()
	if err := w.watch.shutdown(); err != nil && !errors.Is(err, player.ErrClosed) {
		return fmt.Errorf("closing player: %w", err)
	}
	return nil
}

// publisherOf is the instance of this process, nil where it is none.
func publisherOf(a *core.App) publisher {
	if a.Instance() == nil {
		return nil
	}
	return appPublisher{a.Instance()}
}
