// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/storage"
	"golang.org/x/time/rate"

	"shoal/peer/bound"
)

// peerIDPrefix is the client's name in peer ids (BEP 20).
const peerIDPrefix = "-SL0001-"

// clientConfig configures the one torrent client.
func (e *Engine) clientConfig() *torrent.ClientConfig {
	c := torrent.NewDefaultClientConfig()
	c.Slogger = slog.New(quietHandler{e.logger.Handler()})
	c.Bep20 = peerIDPrefix
	c.HTTPUserAgent = userAgent
	c.ExtendedHandshakeClientVersion = userAgent
	c.Seed = true
	c.AlwaysWantConns = true // a swarm that is only held now may be watched in a moment
	c.DropDuplicatePeerIds = true
	limits := e.Limits()
	c.EstablishedConnsPerTorrent = limits.ConnectionsPerSwarm
	c.TotalHalfOpenConns = e.halfOpenPeers(limits)
	c.HalfOpenConnsPerTorrent = c.TotalHalfOpenConns
	c.MaxAllocPeerRequestDataPerConn = requestBuffer(e.config.Memory, limits.Connections)
	c.DisableTrackers = true                               // see announcer
	c.DisableWebtorrent = true                             // see package webrtc
	c.NoDefaultPortForwarding = true                       // see package portmap
	c.DisableTCP, c.DisableUTP, c.NoDHT = true, true, true // see openDoors
	c.PeriodicallyAnnounceTorrentsToDht = false            // see dhtAnnouncer
	if e.config.dhtNodes != nil {
		c.DhtStartingNodes = func(string) dht.StartingNodesGetter { return e.config.dhtNodes }
	}
	c.DisableWebseeds = !e.sources.Has(SourceWebSeed)
	c.DialRateLimiter = rate.NewLimiter(50, 100) // a dial that waits its turn cannot be cancelled
	c.WebTransport = e.http.Transport
	c.DefaultStorage = noStorage{}
	// IPv6 is never disabled here: that would refuse WebRTC peers, whose made-up addresses are IPv6.
	c.UploadRateLimiter, c.DownloadRateLimiter = e.upload, e.download
	e.addCallbacks(&c.Callbacks)
	return c
}

// noStorage stands in for the client's default storage, which is never used: each swarm brings
// its own.
type noStorage struct{ storage.ClientImpl }

// quietHandler lets the torrent client log at debug level only: what a person should know reaches
// them through Stats.
type quietHandler struct{ slog.Handler }

func (h quietHandler) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.Handler.Enabled(ctx, slog.LevelDebug)
}

func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, r)
}

func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}

func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}

// newHTTPTransport is for WebSeeds, HTTP trackers and .torrent files.
func (c *Config) newHTTPTransport() *http.Transport {
	dial, proxy, on := c.DialContext, c.Proxy, c.Interface
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: on.Dial}).DialContext
	}
	direct := dial
	dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(addr); on.Held() && (err != nil || !isLoopback(host)) {
			return nil, bound.ErrHeld // and the name is not looked up
		}
		if c.IPv4Only && network == "tcp" {
			network = "tcp4"
		}
		return direct(ctx, network, addr)
	}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dial,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        10,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
