// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"shoal/app/core"
	"shoal/player"
)

// watchPage plays one video and shows what its swarm does.
type watchPage struct {
	loop    *loop
	program program
	screens screenMaker
	hooks   watchHooks

	root    *fyne.Container
	view    *watchView
	screen  *screen // nil until the first video, and without libmpv
	viewing viewing // nil: nothing plays
	about   about
	from    core.Resolved
	full    bool
	told    error // the player's error that is shown

	stopFollow context.CancelFunc // of the figures of viewing
	cancelOpen context.CancelFunc
	cancelLoad context.CancelFunc
}

// watchHooks are what the page asks of the window and of the machine.
type watchHooks struct {
	setFullScreen func(on bool)
	visit         func(address string)
	browse        func()
	openBrowser   func(address string) error
	openPlayer    func(ctx context.Context, address string) (program string, err error)
	copyText      func(words string)
	setTitle      func(words string)
	support       func(address string) // of a channel
}

func newWatchPage(l *loop, p program, screens screenMaker, hooks watchHooks) *watchPage {
	nothing := func() {}
	w := &watchPage{
		loop: l, program: p, screens: screens, hooks: hooks, root: container.NewStack(),
		stopFollow: nothing, cancelOpen: nothing, cancelLoad: nothing,
	}
	w.view = newWatchView(w)
	w.idle()
	return w
}

// idle shows that nothing plays.
func (w *watchPage) idle() {
	only(w.root, emptyState(tr("Nothing is playing"), tr("Choose a video of an instance, or open a link or a magnet above."),
		primaryPlain(tr("Browse"), w.hooks.browse)))
}

// open plays what an address leads to.
func (w *watchPage) open(r core.Resolved) {
	w.close()
	w.from = r
	words := tr("Joining the swarm…")
	if r.Kind == core.KindFile {
		words = tr("Opening the file…")
	}
	only(w.root, busyState(words, w.close))
	w.start(0, r.Location.Start)
}

// openAddress finds out what an address is and plays it.
func (w *watchPage) openAddress(address string) {
	w.close()
	only(w.root, busyState(tr("Asking %s…", hostOf(address)), w.close))
	w.cancelOpen = task(w.loop, func(ctx context.Context) (core.Resolved, error) {
		return w.program.Resolve(ctx, address)
	}, func(r core.Resolved, err error) {
		if err != nil {
			w.failed(err, func() { w.openAddress(address) })
			return
		}
		w.open(r)
	})
}

// opened is what start brings back.
type opened struct {
	viewing viewing
	about   about
	player  mediaPlayer // new; nil where there is one already, or none can be
	problem error       // why there is no player
}

// start joins the swarm at a quality and plays from a position.
func (w *watchPage) start(height int, from time.Duration) {
	w.cancelOpen()
	resolved, have := w.from, w.screen != nil
	w.cancelOpen = taking(w.loop, func(ctx context.Context) (opened, error) {
		v, err := w.program.Open(ctx, resolved, height)
		if err != nil {
			return opened{}, err
		}
		o := opened{viewing: v, about: v.About()}
		if !have {
			o.player, o.problem = w.screens.start()
		}
		return o, nil
	}, func(o opened, err error) {
		if err != nil {
			w.failed(err, func() { w.open(resolved) })
			return
		}
		w.play(o, from)
	}, func(o opened) {
		_ = o.viewing.Close() // nobody is left to be told
		if o.player != nil {
			_ = o.player.Close()
		}
	})
}

// play shows the page of an opened video and loads it.
func (w *watchPage) play(o opened, from time.Duration) {
	w.stopFollow()
	w.letGo()
	if o.player != nil {
		w.screen = w.screens.face(o.player)
		w.followPlayer()
	}
	w.viewing, w.about = o.viewing, o.about
	w.view.setAbout(o.about)
	w.hooks.setTitle(o.about.Title)
	only(w.root, w.view.root)
	w.followSwarm()
	if w.screen == nil {
		w.view.noPlayer(o.problem)
		return
	}
	w.view.theatre.setSurface(w.screen.surface)
	w.load(from)
}

// letGo ends the viewing, off the window's goroutine.
func (w *watchPage) letGo() {
	if old := w.viewing; old != nil {
		w.viewing = nil
		w.loop.spawn(func(context.Context) { _ = old.Close() }) // what it says is in the log
	}
}

// load hands the file to the player.
func (w *watchPage) load(from time.Duration) {
	w.cancelLoad()
	w.told = nil
	w.view.theatre.stage.say(nil)
	v, s := w.viewing, w.screen
	var audio player.Opener
	if w.about.HasAudio {
		audio = v.OpenAudio
	}
	w.cancelLoad = act(w.loop, func(ctx context.Context) error { return s.Load(ctx, v.OpenVideo, audio) },
		func(err error) {
			switch {
			case err != nil:
				w.view.cannotPlay(err, func() { w.load(from) })
			case from > 0:
				s.Seek(from, true)
			}
		})
}

// failed shows why the video could not be opened. A video that plays already goes on.
func (w *watchPage) failed(err error, again func()) {
	if w.viewing != nil {
		w.view.notice.fail(message(err))
		return
	}
	only(w.root, errorState(tr("This video could not be opened"), message(err),
		primaryPlain(tr("Try again"), again), plainButton(tr("Close"), w.close)))
}

// close stops playing. The swarms go on.
func (w *watchPage) close() {
	w.leaveFullScreen()
	w.cancelOpen()
	w.cancelLoad()
	w.stopFollow()
	if w.screen != nil {
		w.screen.Stop()
	}
	w.letGo()
	w.about = about{}
	w.hooks.setTitle("")
	w.view.theatre.setSurface(nil)
	w.view.theatre.stage.say(nil)
	w.idle()
}

// silence ends playing before the window goes: nothing is drawn any more.
func (w *watchPage) silence() {
	w.cancelOpen()
	w.cancelLoad()
	w.stopFollow()
	if w.screen != nil {
		w.screen.hide()
		w.screen.Stop()
	}
}

// shutdown frees the player for good, once the window has gone. It waits, and touches no widget.
func (w *watchPage) shutdown() error {
	var errs []error
	if w.screen != nil {
		w.screen.hide()
		errs = append(errs, w.screen.Close())
	}
	if w.viewing != nil {
		errs = append(errs, w.viewing.Close())
	}
	return errors.Join(errs...)
}

// followPlayer shows the player's state whenever it changes, as long as the window is there.
func (w *watchPage) followPlayer() {
	s := w.screen
	changed, stop := s.Watch()
	var waiting atomic.Bool // an update is on its way: the window's queue has no bound
	w.loop.spawn(func(ctx context.Context) {
		defer stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			if waiting.CompareAndSwap(false, true) {
				w.loop.do(ctx, func() {
					waiting.Store(false)
					w.showState(s.State())
				})
			}
		}
	})
	w.loop.every(w.loop.ctx, 500*time.Millisecond, func() {
		w.loop.do(w.loop.ctx, func() { w.view.theatre.tick(w.playing()) })
	})
}

func (w *watchPage) showState(s player.State) {
	if w.viewing == nil {
		return
	}
	w.view.theatre.controls.show(s)
	w.view.theatre.stage.show(s)
	problem := errors.Join(s.Err, s.AudioErr)
	if message(problem) == message(w.told) {
		return
	}
	w.told = problem
	switch {
	case s.Err != nil && !isKind(s.Err, player.KindSuperseded):
		w.view.cannotPlay(s.Err, func() { w.load(s.Position) })
	case s.AudioErr != nil:
		w.view.notice.fail(message(s.AudioErr))
	}
}

func isKind(err error, kind player.Kind) bool {
	var e *player.Error
	return errors.As(err, &e) && e.Kind == kind
}

// followSwarm shows the figures of what is watched, each second.
func (w *watchPage) followSwarm() {
	ctx, cancel := context.WithCancel(w.loop.ctx)
	w.stopFollow = cancel
	v := w.viewing
	var waiting atomic.Bool
	w.loop.every(ctx, time.Second, func() {
		now, strip := v.Figures(), v.Strip(stripParts)
		if waiting.CompareAndSwap(false, true) {
			w.loop.do(ctx, func() {
				waiting.Store(false)
				if s := w.active(); s != nil {
					st := s.State()
					now.Ahead = aheadOf(strip, st.Position, st.Duration)
				}
				w.view.figures.show(now)
				w.view.theatre.controls.seek.setStrip(strip)
			})
		}
	})
}

// chooseQuality goes on in another rendition at the same place.
func (w *watchPage) chooseQuality(i int) {
	if i < 0 || i >= len(w.about.Heights) || i == w.about.Chosen {
		return
	}
	var at time.Duration
	if w.screen != nil {
		at = w.screen.State().Position
		w.screen.Pause()
	}
	w.view.notice.clear()
	w.start(w.about.Heights[i].Height, at)
}

// elsewhere plays the video in another program of this machine.
func (w *watchPage) elsewhere(browser bool) {
	v := w.viewing
	if v == nil {
		return
	}
	if w.screen != nil {
		w.screen.Pause()
	}
	separate := w.about.HasAudio
	task(w.loop, func(ctx context.Context) (string, error) {
		address, err := v.StreamURL()
		if err != nil {
			return "", err
		}
		if browser {
			return "", w.hooks.openBrowser(address)
		}
		return w.hooks.openPlayer(ctx, address)
	}, func(_ string, err error) {
		switch {
		case err != nil:
			w.view.notice.fail(message(err))
		case separate:
			w.view.notice.fail(tr("The sound of this video lies in a file of its own: the other player shows the picture alone."))
		}
	})
}
