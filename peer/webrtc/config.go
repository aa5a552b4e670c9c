// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"shoal/peer/bound"
)

// ICEServer is a STUN or TURN server that candidates are gathered with (RFC 8445 §5.1.1).
type ICEServer struct {
	// URLs are stun:, turn: or turns: URLs.
	URLs []string
	// Username and Credential are for TURN.
	Username, Credential string
}

// Config configures a Transport. The zero value works.
type Config struct {
	// ICEServers are none by default: only host candidates are offered then.
	ICEServers []ICEServer
	// UDPPort is the one port that all connections share; 0 picks one.
	UDPPort int
	// Loopback offers loopback candidates too, for peers on the same machine.
	Loopback bool
	// Offers is how many offers go out with one announce; 0 means 5, and 10 is the most.
	Offers int
	// MaxConnsPerSwarm bounds connections (open and being opened) of one swarm; 0 means 30.
	MaxConnsPerSwarm int
	// MaxConns bounds connections (open and being opened) of the whole Transport; 0 means 200.
	MaxConns int
	// MaxOpening bounds those of them that are being opened; 0 means 50.
	MaxOpening int
	// Logger gets what happens at debug level and what a person should know at warn level.
	// nil is silent.
	Logger *slog.Logger
	// Interface is the network interface that everything but trackers goes through; trackers are
	// HTTPClient's matter.
	Interface bound.Interface
	// IPv4Only leaves IPv6 out, except on the way to trackers, which is HTTPClient's matter.
	IPv4Only bool
	// Mapped tells where the router lets peers in to UDPPort, if it does; it is offered as a candidate.
	// It is asked for each offer and answer, and must return at once. nil: nowhere.
	Mapped func() netip.AddrPort
	// HTTPClient dials trackers; nil means http.DefaultClient.
	HTTPClient *http.Client
}

func (c Config) withDefaults() Config {
	if c.Offers <= 0 {
		c.Offers = 5
	}
	c.Offers = min(c.Offers, 10)
	if c.MaxConnsPerSwarm <= 0 {
		c.MaxConnsPerSwarm = 30
	}
	if c.MaxConns <= 0 {
		c.MaxConns = 200
	}
	if c.MaxOpening <= 0 {
		c.MaxOpening = 50
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = http.DefaultClient
	}
	return c
}

// SwarmConfig says who joins which swarm.
type SwarmConfig struct {
	// Infohash is the swarm; PeerID is who the torrent client says it is in its handshakes.
	Infohash, PeerID [20]byte
	// Extensions are the reserved bits of the torrent client's handshake (BEP 10).
	Extensions [8]byte
	// Trackers are ws:// and wss:// URLs; others are ignored.
	Trackers []string
	// Progress tells the bytes uploaded, downloaded and left; left < 0 is unknown. It is called
	// from the Transport's goroutines and must return at once. nil means nothing is known.
	Progress func() (uploaded, downloaded, left int64)
}

// TrackerStatus is what is known of one tracker of a swarm.
type TrackerStatus struct {
	// URL is the tracker's announce URL.
	URL string
	// Connected tells that the WebSocket is open.
	Connected bool
	// Seeders and Leechers are what the tracker counted last.
	Seeders, Leechers int
	// Interval is the time between announces, as bounded by us.
	Interval time.Duration
	// LastAnnounce is when we last announced; NextAnnounce when we will. Zero: never, not planned.
	LastAnnounce, NextAnnounce time.Time
	// Warning is the tracker's last "warning message".
	Warning string
	// LastError is the last failure: the tracker's "failure reason", or why it is not reached.
	LastError string
}
