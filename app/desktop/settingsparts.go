// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strings"

	"fyne.io/fyne/v2"

	"shoal/app/config"
)

// The sections of the settings, in the order of the tabs.

func (p *settingsPage) watching() fyne.CanvasObject {
	f := &p.fields
	return section(tr("Watching"),
		f.check(&field{key: "keepSeeding"}, tr("After watching"), tr("Keep sharing a video"), tr("It is listed under Co-seeding, and shared until you remove it or a limit under Sharing says otherwise."),
			func(c *config.Config) *bool { return &c.KeepSeeding }),
		f.text(&field{key: "homeInstance"}, tr("Open with"), tr("The instance that the window opens with. Empty: the one opened last."), "https://video.example.org",
			func(c *config.Config) *string { return &c.HomeInstance }),
		f.number(&field{key: "readAhead", restart: true, least: 1 << 20, most: 1 << 30}, tr("Read ahead"), tr("How much is fetched before it is needed: more plays smoother, less fetches less in vain."), "MiB", 1<<20, "",
			amount(func(c *config.Config) *int64 { return &c.ReadAhead })),
	)
}

func (p *settingsPage) folders(dataDir string) fyne.CanvasObject {
	f := &p.fields
	return section(tr("Folders"),
		f.folder(&field{key: "downloads", restart: true}, tr("Videos"), tr("Where videos go from then on. Those already there stay where they are."),
			config.Config{}.DownloadsDir(dataDir), p.pick, func(c *config.Config) *string { return &c.Downloads }),
		f.folder(&field{key: "data", restart: true}, tr("Data"), tr("What Shoal knows and holds. Nothing is moved: a new folder starts empty."),
			dataDir, p.pick, func(c *config.Config) *string { return &c.Data }),
	)
}

func (p *settingsPage) keeping() fyne.CanvasObject {
	f := &p.fields
	return section(tr("How much is kept"),
		smallText(tr("What you watched and co-seed is kept up to this budget. Past it, what others need least goes first. What you pinned and what your instance publishes is never touched.")).flowing(4),
		f.number(&field{key: "sharing.budget"}, tr("Disk budget"), "", "GB", 1e9, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Sharing.Budget })),
		f.number(&field{key: "sharing.keepFree"}, tr("Keep free"), tr("So much of the disk stays free in any case."), "GB", 1e9, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Sharing.KeepFree })),
	)
}

func (p *settingsPage) stopping() fyne.CanvasObject {
	f := &p.fields
	return section(tr("When sharing a video ends"),
		smallText(tr("The first of these that is reached ends it. The files stay until the room is needed. Pinned videos go on.")).flowing(4),
		f.decimal(&field{key: "sharing.ratio"}, tr("Ratio"), tr("Given back so many times what was fetched. 2 means: twice."), "", tr("none"),
			func(c *config.Config) *float64 { return &c.Sharing.Ratio }),
		f.number(&field{key: "sharing.seedHours"}, tr("Time"), tr("Seeded for so long."), tr("hours"), 1, tr("none"),
			amount(func(c *config.Config) *int { return &c.Sharing.SeedHours })),
		f.number(&field{key: "sharing.idleHours"}, tr("No interest"), tr("Nobody fetched any of it for so long."), tr("hours"), 1, tr("none"),
			amount(func(c *config.Config) *int { return &c.Sharing.IdleHours })),
	)
}

func (p *settingsPage) rates() fyne.CanvasObject {
	f := &p.fields
	return section(tr("Speed"),
		f.check(&field{key: "network.metered"}, tr("Metered"), tr("This connection is paid by the byte"), tr("Only what you watch is fetched, and nothing is given."),
			func(c *config.Config) *bool { return &c.Network.Metered }),
		f.number(&field{key: "network.uploadLimit"}, tr("Upload limit"), "", tr("kB/s"), 1000, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Network.UploadLimit })),
		f.number(&field{key: "network.downloadLimit"}, tr("Download limit"), "", tr("kB/s"), 1000, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Network.DownloadLimit })),
	)
}

func (p *settingsPage) schedule() fyne.CanvasObject {
	f := &p.fields
	days, from, to := &field{key: "network.schedule.days"}, &field{key: "network.schedule.from"}, &field{key: "network.schedule.to"}
	up, down := &field{key: "network.schedule.uploadLimit"}, &field{key: "network.schedule.downloadLimit"}
	return section(tr("Other speeds at some times"),
		f.check(&field{key: "network.schedule.enabled"}, tr("Schedule"), tr("Use other limits at these times"), "",
			func(c *config.Config) *bool { return &c.Network.Schedule.Enabled }, days, from, to, up, down),
		f.days(days, tr("Days"), tr("The days on which it begins."), func(c *config.Config) *[]string { return &c.Network.Schedule.Days }),
		f.short(from, tr("From"), "", "18:00", func(c *config.Config) *string { return &c.Network.Schedule.From }),
		f.short(to, tr("To"), tr("Earlier than the beginning means the next day."), "23:00", func(c *config.Config) *string { return &c.Network.Schedule.To }),
		f.number(up, tr("Upload limit then"), "", tr("kB/s"), 1000, tr("none"), amount(func(c *config.Config) *int64 { return &c.Network.Schedule.UploadLimit })),
		f.number(down, tr("Download limit then"), "", tr("kB/s"), 1000, tr("none"), amount(func(c *config.Config) *int64 { return &c.Network.Schedule.DownloadLimit })),
	)
}

func (p *settingsPage) machine() fyne.CanvasObject {
	f := &p.fields
	return section(tr("What it takes of this machine"),
		f.number(&field{key: "limits.connections"}, tr("Connections"), tr("To peers, of all videos together."), "", 1, "",
			amount(func(c *config.Config) *int { return &c.Limits.Connections })),
		f.number(&field{key: "limits.connectionsPerSwarm"}, tr("Connections a video"), "", "", 1, "",
			amount(func(c *config.Config) *int { return &c.Limits.ConnectionsPerSwarm })),
		f.number(&field{key: "limits.halfOpen"}, tr("Being opened"), tr("Connections being opened at one time. Fewer is gentler to a weak router; more counts from the next start."), "", 1, "",
			amount(func(c *config.Config) *int { return &c.Limits.HalfOpen })),
		f.number(&field{key: "limits.openFiles"}, tr("Open files"), tr("Video files held open at one time."), "", 1, "",
			amount(func(c *config.Config) *int { return &c.Limits.OpenFiles })),
		f.number(&field{key: "limits.memory", restart: true, least: 64 << 20, most: 1 << 40}, tr("Memory"), tr("Shoal tries to stay under it."), "MiB", 1<<20, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Limits.Memory })),
	)
}

func (p *settingsPage) transports() fyne.CanvasObject {
	f := &p.fields
	return section(tr("What carries videos"),
		f.check(&field{key: "network.webrtc", restart: true}, tr("WebRTC"), tr("Reach browsers"), tr("Shoal, WebTorrent, and viewers of older PeerTube instances."),
			func(c *config.Config) *bool { return &c.Network.WebRTC }),
		f.check(&field{key: "network.tcp", restart: true}, tr("TCP"), tr("Reach ordinary BitTorrent peers"), "", func(c *config.Config) *bool { return &c.Network.TCP }),
		f.check(&field{key: "network.utp", restart: true}, tr("µTP"), tr("BitTorrent that yields to other traffic"), "", func(c *config.Config) *bool { return &c.Network.UTP }),
		f.check(&field{key: "network.webseed", restart: true}, tr("WebSeed"), tr("Fetch from the instance's own copy over HTTP"), "", func(c *config.Config) *bool { return &c.Network.WebSeed }),
		f.check(&field{key: "network.dht", restart: true}, tr("DHT"), tr("Find peers without a tracker too"), "", func(c *config.Config) *bool { return &c.Network.DHT }),
	)
}

func (p *settingsPage) ports() fyne.CanvasObject {
	f := &p.fields
	return section(tr("Being reached"),
		f.number(&field{key: "network.torrentPort", restart: true}, tr("BitTorrent port"), tr("TCP and UDP."), "", 1, tr("any"), amount(func(c *config.Config) *int { return &c.Network.TorrentPort })),
		f.number(&field{key: "network.icePort", restart: true}, tr("WebRTC port"), tr("UDP."), "", 1, tr("any"), amount(func(c *config.Config) *int { return &c.Network.ICEPort })),
		f.check(&field{key: "network.ipv6", restart: true}, tr("IPv6"), tr("Use it beside IPv4"), tr("Switch it off where your provider's does not work, or where a VPN carries IPv4 alone."),
			func(c *config.Config) *bool { return &c.Network.IPv6 }),
		f.check(&field{key: "network.portMapping"}, tr("Router"), tr("Ask it to let peers in"), tr("By UPnP, NAT-PMP or PCP. Else forward the ports yourself."),
			func(c *config.Config) *bool { return &c.Network.PortMapping }),
	)
}

func (p *settingsPage) route() fyne.CanvasObject {
	f := &p.fields
	nics, setNICs := f.choice(&field{key: "network.interface", restart: true}, tr("Interface"), interfaceHint(nil), "wg0",
		func(c *config.Config) *string { return &c.Network.Interface })
	p.setNICs = setNICs
	return section(tr("VPN and proxy"), nics,
		f.check(&field{key: "network.killSwitch", restart: true}, tr("Kill switch"), tr("Stop while that interface is not there"), tr("Without it, peers would be reached past the VPN."),
			func(c *config.Config) *bool { return &c.Network.KillSwitch }),
		f.text(&field{key: "network.proxy"}, tr("Proxy"), tr("For trackers and WebSeeds. Peers are reached without it, and see your address."), "socks5://127.0.0.1:1080",
			func(c *config.Config) *string { return &c.Network.Proxy }),
	)
}

func (p *settingsPage) servers() fyne.CanvasObject {
	f := &p.fields
	return section(tr("STUN and TURN"),
		f.check(&field{key: "network.publicSTUN"}, tr("Public STUN"), tr("Ask %s for this machine's address", strings.TrimPrefix(config.PublicSTUNServer, "stun:")),
			tr("So that peers behind other routers find this machine. The server learns your address, nothing more."),
			func(c *config.Config) *bool { return &c.Network.PublicSTUN }),
		f.servers(&field{key: "network.iceServers"}, tr("Own servers"), tr("One a line. A TURN server carries what routers keep apart; it needs a name and a password.")),
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
		f.number(&field{key: "instance.uploadLimit"}, tr("Gives at most"), tr("What the web server gives of videos, to all together."), tr("kB/s"), 1000, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Instance.UploadLimit })),
		f.number(&field{key: "instance.uploadLimitPerIP"}, tr("To one address"), "", tr("kB/s"), 1000, tr("none"),
			amount(func(c *config.Config) *int64 { return &c.Instance.UploadLimitPerIP })),
	)
}

func (p *settingsPage) watchFolder() fyne.CanvasObject {
	f := &p.fields
	return section(tr("Publish from a folder"),
		f.folder(&field{key: "instance.watchFolder"}, tr("Folder"), tr("Video files that appear in it are published, for everybody. Empty: none."), "",
			p.pick, func(c *config.Config) *string { return &c.Instance.WatchFolder }),
		f.text(&field{key: "instance.watchChannel"}, tr("Into channel"), "", "root_channel", func(c *config.Config) *string { return &c.Instance.WatchChannel }),
	)
}
