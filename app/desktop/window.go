// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/peer/peertube"
)

// parts are what the window is put together from.
type parts struct {
	program     program
	catalog     catalog
	settings    settings
	publisher   publisher // nil where this process is no instance
	screens     screenMaker
	dataDir     string
	openBrowser func(address string) error
	openPlayer  func(ctx context.Context, address string) (string, error)
}

// mainWindow is the window with its pages.
type mainWindow struct {
	app   fyne.App
	win   fyne.Window
	loop  *loop
	parts parts

	nav       *navigation
	bar       *addressBar
	browse    *browsePage
	watch     *watchPage
	coSeeding *coSeedingPage
	settings  *settingsPage
	instance  *instancePage // nil without one

	main    *fyne.Container // everything but full screen
	content *fyne.Container // the page
	at      place
	intro   *widget.Button // of the word at the first start, while that is shown
	first   string         // to be opened once the intro was read
	leaving *dialog.CustomDialog
	swarms  []core.SwarmInfo
	size    fyne.Size // before full screen
	hidden  atomic.Bool
	quit    func()
}

func newMainWindow(a fyne.App, l *loop, p parts, o Options) *mainWindow {
	w := &mainWindow{app: a, loop: l, parts: p, content: container.NewStack(), first: o.Argument}
	w.quit = w.end
	w.win = a.NewWindow("Shoal")
	w.win.SetIcon(programIcon())
	w.win.SetPadded(false)
	w.nav = newNavigation(p.publisher != nil, w.goTo)
	w.bar = newAddressBar(l, p.program.Resolve, func() []string { return p.settings.Get().RecentInstances }, w.show)
	w.browse = newBrowsePage(l, p.catalog, w.watchAddress, w.visit)
	w.browse.help = w.support
	if p.publisher != nil {
		w.browse.own = p.publisher.URL()
	}
	w.browse.welcome(p.settings.Get().RecentInstances)
	w.watch = newWatchPage(l, p.program, p.screens, watchHooks{
		setFullScreen: w.setFullScreen, visit: w.visit, browse: func() { w.goTo(placeBrowse) },
		openBrowser: p.openBrowser, openPlayer: p.openPlayer, copyText: w.copyText, setTitle: w.setTitle, support: w.support,
	})
	w.coSeeding = newCoSeedingPage(l, p.program, p.settings, w.win, coSeedingHooks{
		open: w.watchAddress, visit: w.visit, browse: func() { w.goTo(placeBrowse) }, settings: w.showSetting, copyText: w.copyText, poll: w.look,
	})
	w.settings = newSettingsPage(l, p.settings, w.win, p.dataDir, o.Version)
	if p.publisher != nil {
		w.instance = newInstancePage(l, p.publisher, w.win, p.program.Resolve, w.visit, w.copyText)
	}
	w.main = container.NewBorder(nil, nil, w.nav.root, nil, container.NewBorder(w.bar.root, nil, nil, nil, w.content))
	w.win.SetContent(w.main)
	w.win.Resize(fyne.NewSize(1180, 760))
	w.win.SetCloseIntercept(w.askQuit)
	w.win.SetOnDropped(func(_ fyne.Position, files []fyne.URI) {
		if len(files) > 0 && files[0].Scheme() == "file" {
			w.bar.open(files[0].Path())
		}
	})
	w.keys()
	w.goTo(placeBrowse)
	return w
}

// start shows the intro where it was not read yet, else what is to be opened first.
func (w *mainWindow) start() {
	w.loop.every(w.loop.ctx, time.Second, func() {
		if w.hidden.Load() {
			return
		}
		now := sharingNow(w.parts.program)
		w.loop.do(w.loop.ctx, func() {
			w.showSharing(now)
			if w.at == placeCoSeeding {
				w.coSeeding.look()
			}
		})
	})
	if w.instance != nil {
		w.loop.every(w.loop.ctx, instanceEvery, func() {
			w.loop.do(w.loop.ctx, func() {
				if w.at == placeInstance {
					w.instance.look()
				}
			})
		})
	}
	if !w.parts.settings.Get().IntroSeen {
		w.intro = showIntro(w.loop, w.parts.settings, w.win, func() {
			w.intro = nil
			w.openFirst()
		})
		return
	}
	w.openFirst()
}

// openFirst opens the argument, or the instance of the settings, or the one opened last.
func (w *mainWindow) openFirst() {
	c := w.parts.settings.Get()
	address := w.first
	if address == "" {
		address = c.HomeInstance
	}
	if address == "" && len(c.RecentInstances) > 0 {
		address = c.RecentInstances[0]
	}
	if address == "" && w.parts.publisher != nil {
		address = w.parts.publisher.URL()
	}
	w.first = ""
	if address != "" {
		w.bar.open(address)
	}
}

// handedOver shows the window and opens what another start of the program was asked for.
func (w *mainWindow) handedOver(arg string) {
	w.win.Show()
	w.win.RequestFocus()
	if w.hidden.CompareAndSwap(true, false) {
		w.look()
	}
	switch {
	case arg == "":
	case w.intro != nil:
		w.first = arg
	default:
		w.bar.open(arg)
	}
}

// instanceEvery is how often the instance page is brought up to date while it is shown.
const instanceEvery = 2 * time.Second

// goTo shows a page.
func (w *mainWindow) goTo(p place) {
	w.at = p
	w.nav.choose(p)
	w.win.Canvas().Unfocus()
	var page fyne.CanvasObject
	switch p {
	case placeWatch:
		page = w.watch.root
	case placeCoSeeding:
		w.coSeeding.look()
		page = w.coSeeding.root
	case placeSettings:
		w.settings.look()
		page = w.settings.root
	case placeInstance:
		w.instance.look()
		page = w.instance.root
	default:
		page = w.browse.root
	}
	only(w.content, page)
}

// showSetting goes to a setting.
func (w *mainWindow) showSetting(key string) {
	w.goTo(placeSettings)
	w.settings.goTo(key)
}

// support goes to where a creator is supported, with the address filled in.
func (w *mainWindow) support(address string) {
	w.goTo(placeCoSeeding)
	w.coSeeding.goTo(tabSupport)
	w.coSeeding.support.fill(address)
	w.win.Canvas().Focus(w.coSeeding.support.entry)
}

// visit opens an address as if it had been typed.
func (w *mainWindow) visit(address string) {
	if address != "" {
		w.bar.open(address)
	}
}

// show shows what the address bar found.
func (w *mainWindow) show(_ string, r core.Resolved) {
	switch r.Kind {
	case core.KindInstance, core.KindChannel, core.KindAccount:
		w.browse.show(r.Location)
		w.goTo(placeBrowse)
		w.remember(r.Location)
	default:
		w.goTo(placeWatch)
		w.watch.open(r)
	}
}

// watchAddress plays a video of a list.
func (w *mainWindow) watchAddress(address string) {
	w.bar.stop()
	w.bar.notice.clear()
	w.goTo(placeWatch)
	w.watch.openAddress(address)
}

// remember puts an instance first in the list of recent ones.
func (w *mainWindow) remember(l peertube.Location) {
	act(w.loop, func(context.Context) error {
		return w.parts.settings.Update(func(c *config.Config) { c.AddRecent(l.Instance) })
	}, func(error) {}) // the list is a convenience
}

func (w *mainWindow) copyText(words string) { w.app.Clipboard().SetContent(words) }

// look asks for the swarms at once instead of at the next second.
func (w *mainWindow) look() {
	task(w.loop, func(context.Context) (sharing, error) { return sharingNow(w.parts.program), nil },
		func(now sharing, _ error) { w.showSharing(now) })
}

// sharing is what is shared, and what stands in its way.
type sharing struct {
	swarms []core.SwarmInfo
	bounds string // for people; "" for none
}

// sharingNow asks for it; it may wait for the engine.
func sharingNow(from sharer) sharing {
	words := boundsWords(from.Limits())
	if problem := from.DiskProblem(); problem != "" {
		words = sentence(problem)
	}
	if r := from.Reachability(); r.Held {
		words = sentence(r.Message)
	}
	return sharing{from.Swarms(), words}
}

func (w *mainWindow) showSharing(now sharing) {
	w.coSeeding.bounds.show(now.bounds)
	w.showSwarms(now.swarms)
}

func (w *mainWindow) showSwarms(list []core.SwarmInfo) {
	w.swarms = list
	var down, up float64
	peers := 0
	for _, s := range list {
		down += s.Down
		up += s.Up
		peers += s.Peers.Sum()
	}
	w.nav.setTraffic(down, up, peers)
	w.coSeeding.show(list)
}

// setFullScreen gives the whole screen to the picture, or takes it back.
func (w *mainWindow) setFullScreen(on bool) {
	w.win.Canvas().Unfocus()
	if on {
		w.size = w.win.Canvas().Size()
		w.win.SetContent(w.watch.view.theatre.root)
		w.win.SetFullScreen(true)
		return
	}
	w.win.SetFullScreen(false)
	w.win.SetContent(w.main)
	w.win.Resize(w.size)
}

// setTitle names the window after what is watched.
func (w *mainWindow) setTitle(words string) {
	if words == "" {
		w.win.SetTitle("Shoal")
		return
	}
	w.win.SetTitle(words + " – Shoal")
}

// sharing counts the swarms that would end with the program.
func (w *mainWindow) sharing() int {
	n := 0
	for _, s := range w.swarms {
		if s.Joined && !s.Paused {
			n++
		}
	}
	return n
}

// askQuit closes the program; where something is shared, it asks first.
func (w *mainWindow) askQuit() {
	n := w.sharing()
	if n == 0 && w.parts.publisher == nil {
		w.quit()
		return
	}
	if w.leaving != nil {
		return
	}
	what := plural(n, "%d video is still shared with others.", "%d videos are still shared with others.")
	if w.parts.publisher != nil {
		what += " " + tr("Your instance is online as long as Shoal runs.")
	}
	words := widget.NewLabel(what + "\n\n" + tr("Shoal can go on in the background without a window. Start it again to bring the window back."))
	words.Wrapping = fyne.TextWrapWord
	d := dialog.NewCustomWithoutButtons(tr("Stop sharing and quit?"), fixed(440, words), w.win)
	w.leaving = d
	d.SetOnClosed(func() { w.leaving = nil })
	d.SetButtons([]fyne.CanvasObject{
		plainButton(tr("Cancel"), d.Hide),
		plainButton(tr("Go on in the background"), func() { d.Hide(); w.background() }),
		primaryPlain(tr("Quit"), func() { d.Hide(); w.quit() }),
	})
	d.Show()
}

// end closes the window for good.
func (w *mainWindow) end() {
	w.watch.silence()
	w.app.Quit()
}

// background hides the window and stops what plays; the swarms go on.
func (w *mainWindow) background() {
	w.watch.close()
	w.hidden.Store(true)
	w.win.Hide()
}
