// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Bounds of one connection.
const (
	dialTimeout    = 10 * time.Second
	headerTimeout  = 15 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaderBytes = 64 << 10
	maxConnsToHost = 8
)

// errPrivate is a connection that was refused because an answer, not a person,
// led to an address that is not on the public Internet.
var errPrivate = errors.New("address is not public")

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
		anywhere:     newTransport(tlsConfig, nil),
		public:       newTransport(tlsConfig, refusePrivate),
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
func newTransport(tlsConfig *tls.Config, control func(context.Context, string, string, syscall.RawConn) error) *http.Transport {
	if tlsConfig == nil {
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	dialer := &net.Dialer{Timeout: dialTimeout, ControlContext: control}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig.Clone(),
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxConnsPerHost:        maxConnsToHost,
		MaxIdleConnsPerHost:    maxConnsToHost / 2,
		MaxIdleConns:           4 * maxConnsToHost,
		IdleConnTimeout:        idleTimeout,
	}
}

// refusePrivate runs after the name is resolved and before each connect, so a
// name that resolves differently the second time gains nothing.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	if !isPublic(ap.Addr()) {
		return fmt.Errorf("connecting to %s: %w", ap.Addr(), errPrivate)
	}
	return nil
}

// notPublic are the ranges of the IANA special-purpose registries (RFC 6890)
// that netip has no word for.
func notPublic() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
		netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT, RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments, RFC 6890
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays, RFC 7526
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks, RFC 2544
		netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved and broadcast, RFC 1112
		netip.MustParsePrefix("2001::/23"),       // protocol assignments and Teredo, RFC 2928
		netip.MustParsePrefix("2001:db8::/32"),   // documentation, RFC 3849
		netip.MustParsePrefix("2002::/16"),       // 6to4, RFC 3056
		netip.MustParsePrefix("3fff::/20"),       // documentation, RFC 9637
	}
}

// isPublic reports whether a is an address on the public Internet.
func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(a) { // RFC 6052
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	if a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a) {
		return false
	}
	for _, p := range notPublic() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
