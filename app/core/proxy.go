// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"shoal/peer/safedial"
)

// proxied reports whether the settings name a proxy.
func (a *App) proxied() bool { return a.options.Config.Get().Network.Proxy != "" }

// chooseProxy returns the proxy of a tracker's, WebSeed's or torrent's request: that of the settings,
// or else the environment's. The proxy looks names up, so where they lead cannot be seen here: what
// names a private place in so many words is refused, unless a person led the program there. This very
// machine is reached without the proxy.
func (a *App) chooseProxy(r *http.Request) (*url.URL, error) {
	setting := a.options.Config.Get().Network.Proxy
	if setting == "" {
		return http.ProxyFromEnvironment(r)
	}
	host := r.URL.Hostname()
	if a.named.has(host) {
		if OnThisMachine(host) {
			return nil, nil //nolint:nilnil // no proxy and no error, as net/http has it
		}
	} else if private(host) {
		return nil, fmt.Errorf("asking %s: %w", host, safedial.ErrPrivate)
	}
	proxy, err := url.Parse(setting)
	if err != nil {
		return nil, fmt.Errorf("reading the proxy's address: %w", err)
	}
	a.named.setProxy(proxy.Hostname()) // it may be on a private network
	return proxy, nil
}

// private reports whether a host is one of this machine or a private network by its name alone
// (RFC 6761, RFC 6762, RFC 8375).
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !safedial.Public(ip)
	}
	if ip := net.ParseIP(host); ip != nil || !strings.Contains(host, ".") || numeric(host) {
		return true // a name without a dot is the local network's; 127.1 and 0x7f.1 are addresses to some
	}
	for _, end := range []string{".localhost", ".local", ".internal", ".home.arpa", ".lan"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

// numeric reports whether the last part of a host is a number, as in old ways to write an address.
func numeric(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "" || last[0] >= '0' && last[0] <= '9'
}
