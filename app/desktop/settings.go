// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/config"
)

// settingsPage changes the settings.
type settingsPage struct {
	loop     *loop
	settings settings
	window   fyne.Window
	nics     func() ([]nic, error) // of this machine

	root   *fyne.Container
	tabs   *tabStrip
	body   *fyne.Container
	parts  []settingsPart
	fields fields
	save   *widget.Button
	revert *widget.Button
	status *text
	foot   *fyne.Container
	busy   bool

	setNICs func([]string)
}

// settingsPart is a tab of the settings.
type settingsPart struct {
	words string
	rows  *fyne.Container
	root  *container.Scroll
}

func newSettingsPage(l *loop, s settings, w fyne.Window, dataDir, version string) *settingsPage {
	p := &settingsPage{loop: l, settings: s, window: w, nics: machineNICs, body: container.NewStack()}
	p.fields.changed = p.changed
	p.fields.reveal = p.reveal
	p.fields.arrange = func() { relayout(p.parts[p.tabs.chosen].rows) }
	p.save = primary(tr("Save"), theme.DocumentSaveIcon(), p.commit)
	p.revert = plainButton(tr("Undo changes"), p.reset)
	p.status = dimText("").flowing(2)
	p.part(tr("Watching"), p.watching(), p.folders(dataDir))
	p.part(tr("Sharing"), p.keeping(), p.stopping())
	p.part(tr("Limits"), p.rates(), p.schedule(), p.machine())
	p.part(tr("Network"), p.transports(), p.ports(), p.route(), p.servers())
	p.part(tr("Instance"), p.instance(), p.watchFolder())
	p.part(tr("About"), section(tr("About"), smallText(tr("Shoal %s · AGPL-3.0-or-later", version)),
		smallText(tr("Settings are kept in %s", s.Path())).flowing(3), smallText(tr("Data is kept in %s", dataDir)).flowing(3)))
	var words []string
	for _, x := range p.parts {
		words = append(words, x.words)
	}
	p.tabs = newTabStrip(words, p.chosen)
	p.foot = container.NewStack(newBackdrop(theme.ColorNameHeaderBackground, 0),
		pad(container.NewBorder(nil, nil, nil, middle(row(8, p.revert, p.save)), middle(p.status)), 10, 22))
	top := column(6, pad(heading(tr("Settings")), 12, 22), pad(p.tabs.root, 0, 12), gap(1, 2))
	p.root = container.New(layout.NewBorderLayout(top, p.foot, nil, nil), top, p.body, p.foot)
	p.chosen(0)
	p.reset()
	return p
}

// part adds a tab; the fields of its sections were made for it.
func (p *settingsPage) part(words string, sections ...fyne.CanvasObject) {
	rows := column(14, sections...)
	p.parts = append(p.parts, settingsPart{words, rows, container.NewVScroll(pad(rows, 6, 22))})
	p.fields.part = len(p.parts)
}

func (p *settingsPage) chosen(i int) {
	only(p.body, p.parts[i].root)
	relayout(p.parts[i].rows)
}

// reveal scrolls a setting into view.
func (p *settingsPage) reveal(f *field) {
	part := p.parts[f.part]
	driver := fyne.CurrentApp().Driver()
	top := driver.AbsolutePositionForObject(f.root).Y - driver.AbsolutePositionForObject(part.root.Content).Y
	bottom := top + f.root.Size().Height
	const room = 12
	at := part.root.Offset
	switch height := part.root.Size().Height; {
	case top-room < at.Y:
		at.Y = top - room
	case bottom+room > at.Y+height:
		at.Y = bottom + room - height
	default:
		return
	}
	part.root.ScrollToOffset(at)
}

// look finds out which network interfaces there are.
func (p *settingsPage) look() {
	task(p.loop, func(context.Context) ([]nic, error) { return p.nics() }, func(list []nic, err error) {
		if err != nil {
			return // a name can be written all the same
		}
		names := make([]string, len(list))
		for i, n := range list {
			names[i] = n.name
		}
		p.setNICs(names)
		p.fields.find("network.interface").setHint(interfaceHint(list))
	})
}

func section(title string, rows ...fyne.CanvasObject) fyne.CanvasObject {
	all := column(10, boldText(title))
	for _, r := range rows {
		all.Add(r)
	}
	return panel(all)
}

func (p *settingsPage) pick(set func(string)) {
	d := dialog.NewFolderOpen(func(at fyne.ListableURI, err error) {
		if err == nil && at != nil {
			set(at.Path())
		}
	}, p.window)
	d.Resize(fyne.NewSize(720, 520))
	d.Show()
}

// reset shows the settings in use.
func (p *settingsPage) reset() {
	p.busy = true // what the widgets say is not a person's doing
	c := p.settings.Get()
	for _, f := range p.fields.all {
		f.show(c)
		f.say("")
	}
	p.busy = false
	p.say("", colorDim)
	p.count()
	p.save.Disable()
	p.revert.Disable()
}

// count shows at each tab how many of its settings are marked.
func (p *settingsPage) count() {
	marked := make([]int, len(p.parts))
	for _, f := range p.fields.all {
		if f.problem.words != "" {
			marked[f.part]++
		}
	}
	for i, n := range marked {
		p.tabs.setCount(i, n)
	}
}

// showMarked goes to the first setting that is marked.
func (p *settingsPage) showMarked() {
	p.count()
	p.say(tr("Nothing was saved: see what is marked."), theme.ColorNameError)
	for _, f := range p.fields.all {
		if f.problem.words != "" {
			p.goTo(f.key)
			return
		}
	}
}

// goTo shows a setting and gives it the keyboard.
func (p *settingsPage) goTo(key string) {
	f := p.fields.find(key)
	if f == nil {
		return
	}
	if p.tabs.chosen != f.part {
		p.tabs.set(f.part)
		p.chosen(f.part)
	}
	p.window.Canvas().Focus(f.focus)
}

func (p *settingsPage) changed() {
	if p.busy {
		return
	}
	p.say(tr("Not saved yet"), colorDim)
	p.save.Enable()
	p.revert.Enable()
}

func (p *settingsPage) say(words string, color fyne.ThemeColorName) {
	p.status.setColor(color)
	p.status.set(words)
	relayout(p.foot)
}

// commit reads, verifies and saves.
func (p *settingsPage) commit() {
	before := p.settings.Get()
	next := p.settings.Get()
	bad := false
	var later []string // what counts from the next start
	var changes []func(*config.Config)
	for _, f := range p.fields.all {
		f.say("")
		apply, err := f.read()
		if err != nil {
			f.say(fieldProblem(err))
			bad = true
			continue
		}
		was := next
		apply(&next)
		if !reflect.DeepEqual(was, next) { // what the environment sets stays out of the file
			changes = append(changes, apply)
			if f.restart {
				later = append(later, f.name)
			}
		}
	}
	if bad {
		p.showMarked()
		return
	}
	if reflect.DeepEqual(before, next) {
		p.reset()
		return
	}
	p.save.Disable()
	act(p.loop, func(context.Context) error {
		return p.settings.Update(func(c *config.Config) {
			for _, apply := range changes {
				apply(c)
			}
		})
	}, func(err error) { p.saved(err, later) })
}

// fieldProblem says what is wrong with what was written.
func fieldProblem(err error) string {
	switch {
	case errors.Is(err, errNoWhole):
		return tr("Write a whole number.")
	case errors.Is(err, errNoNumber):
		return tr("Write a number.")
	}
	return message(err)
}

func (p *settingsPage) saved(err error, later []string) {
	var bad *config.KeyError
	switch {
	case err == nil:
		p.reset()
		p.say(tr("Saved."), theme.ColorNameSuccess)
		if len(later) > 0 {
			p.say(tr("Saved. After Shoal is started again: %s.", strings.Join(later, ", ")), theme.ColorNameSuccess)
		}
	case errors.As(err, &bad) && p.mark(bad):
		p.save.Enable()
		p.showMarked()
	default:
		p.save.Enable()
		p.say(message(err), theme.ColorNameError)
	}
}

// mark shows an error at the setting it is about.
func (p *settingsPage) mark(bad *config.KeyError) bool {
	f := p.fields.find(bad.Key)
	if f == nil {
		return false
	}
	f.say(message(bad))
	return true
}
