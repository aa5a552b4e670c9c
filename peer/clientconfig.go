// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
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
	c.DisableTrackers = true                                       // see announcer
	c.DisableWebtorrent = true                                     // see package webrtc
	c.DialForPeerConns = false                                     // see addDialers
	c.NoDefaultPortForwarding = true                               // see package portmap
	c.NoDHT = !e.config.DHT || !haveUTP || e.config.Interface.On() // libutp opens its own socket
	c.PeriodicallyAnnounceTorrentsToDht = false                    // see dhtAnnouncer
	if e.config.dhtNodes != nil {
		c.DhtStartingNodes = func(string) dht.StartingNodesGetter { return e.config.dhtNodes }
	}
	c.DisableTCP = !e.sources.Has(SourceTCP) || e.config.Interface.On() // see listenBound
	c.DisableUTP = !e.sources.Has(SourceUTP)
	c.DisableWebseeds = !e.sources.Has(SourceWebSeed)
	c.DialRateLimiter = rate.NewLimiter(50, 100) // a dial that waits its turn cannot be cancelled
	c.WebTransport = e.http.Transport
	c.DefaultStorage = noStorage{}
	c.ListenPort = e.config.Port
	c.ListenHost = listenHost(e.config.ListenHost)
	if ip := net.ParseIP(e.config.ListenHost); ip != nil {
		// IPv6 is never disabled: that would refuse WebRTC peers, whose made-up addresses are IPv6.
		c.DisableIPv4 = ip.To4() == nil && !ip.IsUnspecified()
	}
	c.UploadRateLimiter, c.DownloadRateLimiter = e.upload, e.download
	e.addCallbacks(&c.Callbacks)
	return c
}

// listenHost returns the address to listen on for each network ("tcp4", "udp6" and so on).
func listenHost(host string) func(network string) string {
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip := net.ParseIP(host)
	return func(network string) string {
		switch {
		case ip == nil:
			return host
		case strings.HasSuffix(network, "6") && ip.To4() != nil && ip.IsUnspecified():
			return "::"
		case strings.HasSuffix(network, "6") && ip.To4() != nil:
			return "::1" // the client wants one; nobody outside reaches it
		}
		return host
	}
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
func newHTTPTransport(dial func(ctx context.Context, network, addr string) (net.Conn, error), proxy func(*http.Request) (*url.URL, error), on bound.Interface) *http.Transport {
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
