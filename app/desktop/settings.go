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
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/config"
)

// settingsPage changes the settings.
type settingsPage struct {
	loop     *loop
	settings settings
	window   fyne.Window

	root   *fyne.Container
	fields fields
	save   *widget.Button
	revert *widget.Button
	status *text
	busy   bool
}

func newSettingsPage(l *loop, s settings, w fyne.Window, dataDir, version string) *settingsPage {
	p := &settingsPage{loop: l, settings: s, window: w}
	p.fields.changed = p.changed
	p.save = primary(tr("Save"), theme.DocumentSaveIcon(), p.commit)
	p.revert = plainButton(tr("Undo changes"), p.reset)
	p.status = dimText("")
	sections := column(14,
		p.sharing(), p.folders(dataDir), p.network(), p.instance(),
		section(tr("About"), smallText(tr("Shoal %s · AGPL-3.0-or-later", version)),
			smallText(tr("Settings are kept in %s", s.Path())), smallText(tr("Data is kept in %s", dataDir))))
	scroll := container.NewVScroll(pad(sections, 6, 22))
	p.fields.arrange = func() { relayout(sections) }
	foot := container.NewStack(newBackdrop(theme.ColorNameHeaderBackground, 0),
		pad(container.NewBorder(nil, nil, nil, row(8, p.revert, p.save), middle(p.status)), 10, 22))
	p.root = container.NewBorder(pad(heading(tr("Settings")), 16, 22), foot, nil, nil, scroll)
	p.reset()
	return p
}

func section(title string, rows ...fyne.CanvasObject) fyne.CanvasObject {
	all := column(10, boldText(title))
	for _, r := range rows {
		all.Add(r)
	}
	return panel(all)
}

func (p *settingsPage) sharing() fyne.CanvasObject {
	f := &p.fields
	return section(tr("Watching and sharing"),
		f.check(&field{key: "keepSeeding"}, tr("After watching"), tr("Keep sharing a video until it is removed from Co-seeding"), "",
			func(c *config.Config) *bool { return &c.KeepSeeding }),
		f.text(&field{key: "homeInstance"}, tr("Open with"), tr("The instance that the window opens with. Empty: the one opened last."), "https://video.example.org",
			func(c *config.Config) *string { return &c.HomeInstance }),
		f.number(&field{key: "readAhead", restart: true}, tr("Read ahead"), tr("How much is fetched before it is needed: more plays smoother, less fetches less in vain."), "MiB", 1<<20, "",
			func(c *config.Config, set *int64) int64 {
				if set != nil {
					c.ReadAhead = *set
				}
				return c.ReadAhead
			}),
		f.number(&field{key: "network.uploadLimit", restart: true}, tr("Upload limit"), "", tr("kB/s"), 1000, tr("none"),
			func(c *config.Config, set *int64) int64 {
				if set != nil {
					c.Network.UploadLimit = *set
				}
				return c.Network.UploadLimit
			}),
		f.number(&field{key: "network.downloadLimit", restart: true}, tr("Download limit"), "", tr("kB/s"), 1000, tr("none"),
			func(c *config.Config, set *int64) int64 {
				if set != nil {
					c.Network.DownloadLimit = *set
				}
				return c.Network.DownloadLimit
			}),
	)
}

func (p *settingsPage) folders(dataDir string) fyne.CanvasObject {
	f := &p.fields
	return section(tr("Folders"),
		f.folder(&field{key: "downloads"}, tr("Videos"), tr("Where videos go from now on. Those already there stay where they are."),
			config.Config{}.DownloadsDir(dataDir), p.pick, func(c *config.Config) *string { return &c.Downloads }),
		f.folder(&field{key: "data", restart: true}, tr("Data"), tr("What Shoal knows and holds. Nothing is moved: a new folder starts empty."),
			dataDir, p.pick, func(c *config.Config) *string { return &c.Data }),
	)
}

func (p *settingsPage) network() fyne.CanvasObject {
	f := &p.fields
	port := func(at func(*config.Config) *int) func(*config.Config, *int64) int64 {
		return func(c *config.Config, set *int64) int64 {
			if set != nil {
				*at(c) = int(*set)
			}
			return int64(*at(c))
		}
	}
	return section(tr("Network"),
		f.check(&field{key: "network.webrtc", restart: true}, tr("Transports"), tr("WebRTC: reaches Shoal, WebTorrent and older PeerTube instances' viewers"), "",
			func(c *config.Config) *bool { return &c.Network.WebRTC }),
		f.check(&field{key: "network.tcp", restart: true}, "", tr("TCP: ordinary BitTorrent peers"), "", func(c *config.Config) *bool { return &c.Network.TCP }),
		f.check(&field{key: "network.utp", restart: true}, "", tr("µTP: BitTorrent that yields to other traffic"), "", func(c *config.Config) *bool { return &c.Network.UTP }),
		f.check(&field{key: "network.webseed", restart: true}, "", tr("WebSeed: the instance's own copy over HTTP"), "", func(c *config.Config) *bool { return &c.Network.WebSeed }),
		f.check(&field{key: "network.dht", restart: true}, tr("Finding peers"), tr("Ask the distributed hash table too"), "", func(c *config.Config) *bool { return &c.Network.DHT }),
		f.number(&field{key: "network.torrentPort", restart: true}, tr("BitTorrent port"), tr("TCP and UDP. Forward it in your router to be reached from outside."), "", 1, tr("any"), port(func(c *config.Config) *int { return &c.Network.TorrentPort })),
		f.number(&field{key: "network.icePort", restart: true}, tr("WebRTC port"), tr("UDP."), "", 1, tr("any"), port(func(c *config.Config) *int { return &c.Network.ICEPort })),
		f.check(&field{key: "network.publicSTUN", restart: true}, tr("STUN"), tr("Ask %s for this machine's public address", strings.TrimPrefix(config.PublicSTUNServer, "stun:")), "",
			func(c *config.Config) *bool { return &c.Network.PublicSTUN }),
		f.servers(&field{key: "network.iceServers", restart: true}, tr("STUN and TURN servers"), tr("One a line.")),
	)
}

func (p *settingsPage) instance() fyne.CanvasObject {
	f := &p.fields
	return section(tr("Instance mode"),
		f.check(&field{key: "instance.enabled", restart: true}, tr("Instance"), tr("Be an instance while the window is open"), "",
			func(c *config.Config) *bool { return &c.Instance.Enabled }),
		f.text(&field{key: "instance.name", restart: true}, tr("Name"), "", "", func(c *config.Config) *string { return &c.Instance.Name }),
		f.text(&field{key: "instance.url", restart: true}, tr("Public address"), tr("It cannot change once the instance exists."), "https://video.example.org",
			func(c *config.Config) *string { return &c.Instance.URL }),
		f.text(&field{key: "instance.listen", restart: true}, tr("Listens at"), "", "127.0.0.1:9000", func(c *config.Config) *string { return &c.Instance.Listen }),
	)
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
	p.save.Disable()
	p.revert.Disable()
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
}

// commit reads, verifies and saves.
func (p *settingsPage) commit() {
	before := p.settings.Get()
	next := p.settings.Get()
	bad := false
	restart := false
	var changes []func(*config.Config)
	for _, f := range p.fields.all {
		f.say("")
		apply, err := f.read()
		if err != nil {
			words := message(err)
			if errors.Is(err, errNoNumber) {
				words = tr("Write a whole number.")
			}
			f.say(words)
			bad = true
			continue
		}
		was := next
		apply(&next)
		if !reflect.DeepEqual(was, next) { // what the environment sets stays out of the file
			changes = append(changes, apply)
			restart = restart || f.restart
		}
	}
	if bad {
		p.say(tr("Nothing was saved: see what is marked."), theme.ColorNameError)
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
	}, func(err error) { p.saved(err, restart) })
}

func (p *settingsPage) saved(err error, restart bool) {
	var bad *config.KeyError
	switch {
	case err == nil:
		p.reset()
		p.say(tr("Saved."), theme.ColorNameSuccess)
		if restart {
			p.say(tr("Saved. Some of it counts after Shoal is started again."), theme.ColorNameSuccess)
		}
	case errors.As(err, &bad) && p.mark(bad):
		p.save.Enable()
		p.say(tr("Nothing was saved: see what is marked."), theme.ColorNameError)
	default:
		p.save.Enable()
		p.say(message(err), theme.ColorNameError)
	}
}

// mark shows an error at the setting it is about.
func (p *settingsPage) mark(bad *config.KeyError) bool {
	for _, f := range p.fields.all {
		if f.key == bad.Key {
			f.say(message(bad))
			return true
		}
	}
	return false
}
