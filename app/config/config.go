// SPDX-License-Identifier: AGPL-3.0-or-later

// Package config holds Shoal's settings: one typed struct, read from and written to a TOML file,
// and the places where the program keeps its files. Packages under app import it; it imports none
// of Shoal's packages.
package config

// Config is every setting. A file holds any part of it; what it leaves out has its default.
type Config struct {
	// Data is the data folder. The --data flag goes before it.
	Data string `toml:"data" comment:"Data folder. Empty: the platform's own place."`
	// Downloads is where the files of joined swarms go.
	Downloads string `toml:"downloads" comment:"Where videos go that are watched or co-seeded. Empty: downloads in the data folder."`
	// KeepSeeding goes on seeding what was watched until it is removed.
	KeepSeeding bool `toml:"keepSeeding" comment:"Go on seeding a video after watching it, until it is removed from the Co-seeding page."`
	// ReadAhead is how many bytes are fetched ahead of the playhead.
	ReadAhead int64 `toml:"readAhead" comment:"Bytes fetched ahead of the playhead."`
	// IntroSeen says that the word about peers seeing each other's IP address was shown.
	IntroSeen bool `toml:"introSeen" comment:"The first-start word that peers see each other's IP address was read."`
	// HomeInstance is the instance the window opens with.
	HomeInstance string `toml:"homeInstance" comment:"Address of the instance that the window opens with."`
	// RecentInstances were opened last, newest first, at most MaxRecent.
	RecentInstances []string `toml:"recentInstances" comment:"Instances opened last, newest first."`

	Sharing  Sharing  `toml:"sharing"`
	Network  Network  `toml:"network"`
	Limits   Limits   `toml:"limits"`
	Instance Instance `toml:"instance"`
}

// Sharing is how much is kept and for how long it is seeded. It never touches what the instance
// publishes, nor what is pinned.
type Sharing struct {
	// Budget bounds the bytes kept of swarms joined, 0 for none. Past it the least useful go first.
	Budget int64 `toml:"budget" comment:"Bytes kept of what was watched and co-seeded. Past it, what is needed least is deleted. 0: no bound."`
	// KeepFree is how much of the disk is left free in any case, in bytes.
	KeepFree int64 `toml:"keepFree" comment:"Bytes of the disk that stay free in any case."`
	// Ratio stops seeding a video that was given back so many times, 0 for never.
	Ratio float64 `toml:"ratio" comment:"Stop seeding a video once it was given back so many times. 0: never."`
	// SeedHours stops seeding a video that was seeded for so long, 0 for never.
	SeedHours int `toml:"seedHours" comment:"Stop seeding a video after so many hours of seeding it. 0: never."`
	// IdleHours stops seeding a video that nobody fetched for so long, 0 for never.
	IdleHours int `toml:"idleHours" comment:"Stop seeding a video that nobody has fetched for so many hours. 0: never."`
}

// Limits bound what the whole program takes of the machine.
type Limits struct {
	// Connections and ConnectionsPerSwarm bound the peers connected.
	Connections         int `toml:"connections" comment:"Connections to peers, of all swarms together and of each."`
	ConnectionsPerSwarm int `toml:"connectionsPerSwarm"`
	// HalfOpen bounds the connections being opened at one time.
	HalfOpen int `toml:"halfOpen" comment:"Connections being opened at one time. More counts from the next start."`
	// OpenFiles bounds the video files held open.
	OpenFiles int `toml:"openFiles" comment:"Video files held open at one time."`
	// Memory is what the program tries to stay under, in bytes; 0 leaves it to the system.
	Memory int64 `toml:"memory" comment:"Bytes of memory to stay under where that can be done. 0: no limit."`
}

// Network is how peers are found and reached.
type Network struct {
	// WebRTC, TCP, UTP and WebSeed say what may carry payload.
	WebRTC  bool `toml:"webrtc" comment:"What may carry video bytes. At least one must be on."`
	TCP     bool `toml:"tcp"`
	UTP     bool `toml:"utp"`
	WebSeed bool `toml:"webseed"`
	// DHT finds peers without a tracker (BEP 5).
	DHT bool `toml:"dht" comment:"Find peers by the DHT too."`
	// TorrentPort is the TCP and µTP port.
	TorrentPort int `toml:"torrentPort" comment:"TCP and UDP port for BitTorrent. 0 picks one at each start."`
	// ICEPort is the one UDP port for WebRTC.
	ICEPort int `toml:"icePort" comment:"UDP port for WebRTC. 0 picks one at each start."`
	// PublicSTUN adds PublicSTUNServer to ICEServers.
	PublicSTUN bool `toml:"publicSTUN" comment:"Ask a public STUN server for this machine's public address, so that peers behind other routers reach it."`
	// UploadLimit and DownloadLimit are in bytes per second, 0 for none.
	UploadLimit   int64 `toml:"uploadLimit" comment:"Bytes per second. 0: no limit."`
	DownloadLimit int64 `toml:"downloadLimit" comment:"Bytes per second. 0: no limit."`
	// Metered says that the connection is paid by the byte: only what is watched is fetched, and
	// nothing is given.
	Metered bool `toml:"metered" comment:"This connection is paid by the byte: fetch only what is watched, and give nothing."`
	// Schedule has other limits at some times.
	Schedule Schedule `toml:"schedule"`
	// PortMapping asks the router to let peers in (UPnP, NAT-PMP, PCP).
	PortMapping bool `toml:"portMapping" comment:"Ask the router to let peers in (UPnP, NAT-PMP, PCP)."`
	// IPv6 uses IPv6 beside IPv4, for peers, trackers, WebSeeds and the DHT.
	IPv6 bool `toml:"ipv6" comment:"Use IPv6 beside IPv4, for peers, trackers, WebSeeds and the DHT."`
	// Interface is the network interface, such as a VPN's, that all peers are reached through.
	Interface string `toml:"interface" comment:"Network interface, such as a VPN's, that all peer traffic goes through. Empty: the system chooses."`
	// KillSwitch stops all peer traffic while Interface is not there.
	KillSwitch bool `toml:"killSwitch" comment:"Stop all peer traffic while that interface is not there."`
	// Proxy is a SOCKS5 or HTTP proxy for trackers and WebSeeds.
	Proxy string `toml:"proxy" comment:"Proxy for trackers and WebSeeds: socks5://host:port or http://host:port. Peers are reached without it."`
	// ICEServers are further STUN and TURN servers (RFC 8445).
	ICEServers []ICEServer `toml:"iceServers,omitempty" comment:"Further STUN and TURN servers."`
}

// Schedule replaces the limits of Network between two times of the day.
type Schedule struct {
	Enabled bool `toml:"enabled" comment:"Other limits at some times."`
	// Days are "mon" to "sun" on which From lies; empty: every day.
	Days []string `toml:"days" comment:"mon, tue, wed, thu, fri, sat, sun. Empty: every day."`
	// From and To are local times of the day, HH:MM. A To before From is on the next day.
	From string `toml:"from" comment:"HH:MM. A \"to\" before \"from\" is on the next day."`
	To   string `toml:"to"`
	// UploadLimit and DownloadLimit are in bytes per second, 0 for none.
	UploadLimit   int64 `toml:"uploadLimit" comment:"Bytes per second. 0: no limit."`
	DownloadLimit int64 `toml:"downloadLimit"`
}

// ICEServer is a STUN or TURN server.
type ICEServer struct {
	URLs       []string `toml:"urls"`
	Username   string   `toml:"username,omitempty"`
	Credential string   `toml:"credential,omitempty"`
}

// Instance is instance mode.
type Instance struct {
	// Enabled opens the instance together with the window.
	Enabled bool `toml:"enabled" comment:"Be an instance while the window is open."`
	// Listen is the HTTP listener's HOST:PORT.
	Listen string `toml:"listen" comment:"HOST:PORT of the web server."`
	// URL is the public address. It is fixed once the instance exists.
	URL string `toml:"url" comment:"Public address, such as https://video.example.org. It cannot change once the instance exists."`
	// Name is the instance's name for people.
	Name string `toml:"name" comment:"The instance's name for people."`
	// UploadLimit and UploadLimitPerIP bound what the web server gives of videos, in bytes per second.
	UploadLimit      int64 `toml:"uploadLimit" comment:"Bytes of videos per second that the web server gives, to all and to each address. 0: no limit."`
	UploadLimitPerIP int64 `toml:"uploadLimitPerIP"`
	// WatchFolder is a folder whose videos are published, into WatchChannel.
	WatchFolder  string `toml:"watchFolder" comment:"Folder whose video files are published as they appear. Empty: none."`
	WatchChannel string `toml:"watchChannel" comment:"Channel that they are published in. Empty: root_channel."`
	// Dev allows http, ports and private addresses.
	Dev bool `toml:"dev" comment:"Allow http, ports and private addresses, for development."`
}

// PublicSTUNServer is the server that Network.PublicSTUN adds, and SecondSTUNServer the one beside it:
// two that see the same address tell what kind of NAT there is.
const (
	PublicSTUNServer = "stun:stun.l.google.com:19302"
	SecondSTUNServer = "stun:stun.cloudflare.com:3478"
)

// MaxRecent is how many recent instances are kept.
const MaxRecent = 12

// Limits on values.
const (
	minReadAhead = 1 << 20
	maxReadAhead = 1 << 30
	maxListItems = 32
	maxTextLen   = 4096
	maxRatio     = 1000
	minMemory    = 64 << 20

	maxInterfaceLen = 64
)

// Defaults returns the settings of a new installation.
func Defaults() Config {
	return Config{
		KeepSeeding: true,
		ReadAhead:   16 << 20,
		Sharing:     Sharing{Budget: 50e9, KeepFree: 2e9},
		Network: Network{
			WebRTC: true, TCP: true, UTP: true, WebSeed: true, DHT: true,
			PublicSTUN: true, PortMapping: true, IPv6: true, KillSwitch: true,
			Schedule: Schedule{Days: []string{}, From: "18:00", To: "23:00"},
		},
		Limits:   Limits{Connections: 400, ConnectionsPerSwarm: 60, HalfOpen: 25, OpenFiles: 256},
		Instance: Instance{Listen: "127.0.0.1:9000", Name: "Shoal"},
	}
}

// AllICEServers returns the servers to use, the public one included where it is switched on.
func (n Network) AllICEServers() []ICEServer {
	servers := append([]ICEServer(nil), n.ICEServers...)
	if n.PublicSTUN {
		servers = append(servers, ICEServer{URLs: []string{PublicSTUNServer, SecondSTUNServer}})
	}
	return servers
}

// AddRecent puts an instance first in the list of recent ones.
func (c *Config) AddRecent(instance string) {
	recent := []string{instance}
	for _, old := range c.RecentInstances {
		if old != instance && len(recent) < MaxRecent {
			recent = append(recent, old)
		}
	}
	c.RecentInstances = recent
}

func (c Config) clone() Config {
	c.RecentInstances = append([]string(nil), c.RecentInstances...)
	servers := make([]ICEServer, 0, len(c.Network.ICEServers))
	for _, s := range c.Network.ICEServers {
		s.URLs = append([]string(nil), s.URLs...)
		servers = append(servers, s)
	}
	c.Network.ICEServers = servers
	c.Network.Schedule.Days = append([]string{}, c.Network.Schedule.Days...)
	return c
}
