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

	Network  Network  `toml:"network"`
	Instance Instance `toml:"instance"`
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
	// ICEServers are further STUN and TURN servers (RFC 8445).
	ICEServers []ICEServer `toml:"iceServers,omitempty" comment:"Further STUN and TURN servers."`
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
	// Dev allows http, ports and private addresses.
	Dev bool `toml:"dev" comment:"Allow http, ports and private addresses, for development."`
}

// PublicSTUNServer is the server that Network.PublicSTUN adds.
const PublicSTUNServer = "stun:stun.l.google.com:19302"

// MaxRecent is how many recent instances are kept.
const MaxRecent = 12

// Limits on values.
const (
	minReadAhead = 1 << 20
	maxReadAhead = 1 << 30
	maxListItems = 32
	maxTextLen   = 4096
)

// Defaults returns the settings of a new installation.
func Defaults() Config {
	return Config{
		KeepSeeding: true,
		ReadAhead:   16 << 20,
		Network: Network{
			WebRTC: true, TCP: true, UTP: true, WebSeed: true, DHT: true,
			PublicSTUN: true,
		},
		Instance: Instance{Listen: "127.0.0.1:9000", Name: "Shoal"},
	}
}

// AllICEServers returns the servers to use, the public one included where it is switched on.
func (n Network) AllICEServers() []ICEServer {
	servers := append([]ICEServer(nil), n.ICEServers...)
	if n.PublicSTUN {
		servers = append(servers, ICEServer{URLs: []string{PublicSTUNServer}})
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
	return c
}
