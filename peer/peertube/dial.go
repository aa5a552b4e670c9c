// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"time"

	"shoal/peer/safedial"
)

// Bounds of one connection.
const (
	headerTimeout  = 15 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaderBytes = 64 << 10
	maxConnsToHost = 8
)

// namedKey is the context key of the *url.URL whose host a person named.
type namedKey struct{}

// chooser is the http.RoundTripper under the client. It decides for each hop, so
// for each redirect too, where it may connect to: to anywhere for the host that a
// person named, to public addresses alone for every other host. The two have their
// own connections, so that an open one to a private address is never used for a
// host that an answer named.
type chooser struct {
	anywhere, public *http.Transport
	allowPrivate     bool
}

// newChooser returns the two transports. tlsConfig may be nil.
func newChooser(allowPrivate bool, tlsConfig *tls.Config) *chooser {
	return &chooser{
		anywhere:     newTransport(tlsConfig, true),
		public:       newTransport(tlsConfig, false),
		allowPrivate: allowPrivate,
	}
}

// RoundTrip sends the request over the transport that its host allows.
func (c *chooser) RoundTrip(r *http.Request) (*http.Response, error) {
	named, _ := r.Context().Value(namedKey{}).(*url.URL)
	if c.allowPrivate || named != nil && sameHost(named, r.URL) {
		return c.anywhere.RoundTrip(r)
	}
	return c.public.RoundTrip(r)
}

// CloseIdleConnections closes what is not in use.
func (c *chooser) CloseIdleConnections() {
	c.anywhere.CloseIdleConnections()
	c.public.CloseIdleConnections()
}

// sameHost reports whether b is the server that a names: host and port are the
// same, or b is its https where a is its http, both on their own ports.
func sameHost(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	pa, pb := portOf(a), portOf(b)
	return pa == pb || pa == "80" && pb == "443"
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// newTransport returns a transport without a proxy: behind one, the address that
// is connected to would not be the address that is asked.
func newTransport(tlsConfig *tls.Config, allowPrivate bool) *http.Transport {
	if tlsConfig == nil {
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &http.Transport{
		DialContext:            safedial.Context(allowPrivate),
		TLSClientConfig:        tlsConfig.Clone(),
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    safedial.Timeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxConnsPerHost:        maxConnsToHost,
		MaxIdleConnsPerHost:    maxConnsToHost / 2,
		MaxIdleConns:           4 * maxConnsToHost,
		IdleConnTimeout:        idleTimeout,
	}
}
