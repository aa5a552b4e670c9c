// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/net/http/httpproxy"

	"shoal/peer"
	"shoal/peer/bound"
	"shoal/peer/library"
	"shoal/peer/safedial"
)

// named are the hosts that a person, and not somebody else's video, led the program to: instances, and
// what a magnet link or a torrent that was given names. They may be on a private network; the trackers,
// WebSeeds and torrents that an instance's video names may not, so that nobody's video makes this
// machine knock at its neighbours' doors. A nil map allows none.
type named struct {
	on bound.Interface // that peer traffic is kept to

	mu    sync.Mutex
	hosts map[string]bool
	proxy string // of the settings: reached wherever it is, but no place for videos to name
}

// maxNamed bounds the hosts that are remembered.
const maxNamed = 1000

// add takes the host of an address, scheme://host[:port]….
func (n *named) add(addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err != nil || u.Hostname() == "" || len(n.hosts) >= maxNamed {
			continue
		}
		if n.hosts == nil {
			n.hosts = map[string]bool{}
		}
		n.hosts[strings.ToLower(u.Hostname())] = true
	}
}

func (n *named) has(host string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[strings.ToLower(host)]
}

// setProxy takes the host of the settings' proxy.
func (n *named) setProxy(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.proxy = strings.ToLower(host)
}

// mayReach reports whether a host may be on a private network.
func (n *named) mayReach(host string) bool {
	n.mu.Lock()
	proxy := n.proxy
	n.mu.Unlock()
	return n.has(host) || proxy != "" && strings.ToLower(host) == proxy
}

// dial connects to public addresses, and to named hosts wherever they are.
func (n *named) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	dialer := safedial.Dialer(err == nil && n.mayReach(host))
	check := dialer.ControlContext
	dialer.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		if check != nil {
			if err := check(ctx, network, address, c); err != nil {
				return err
			}
		}
		return n.on.Dial(network, address, c)
	}
	return dialer.DialContext(ctx, network, address)
}

// addProxies takes the proxies that the environment names for HTTP.
func (n *named) addProxies() {
	p := httpproxy.FromEnvironment()
	for _, proxy := range []string{p.HTTPProxy, p.HTTPSProxy} {
		if !strings.Contains(proxy, "://") {
			proxy = "http://" + proxy // as net/http reads it
		}
		n.add(proxy)
	}
}

// addTarget takes what a magnet link or torrent names that a person gave.
func (n *named) addTarget(t peer.Target) {
	n.add(t.Trackers...)
	n.add(t.WebSeeds...)
	n.add(t.ExactSources...)
}

// addEntries takes what the library holds: a person had led the program there.
func (n *named) addEntries(entries []library.Entry) {
	for _, e := range entries {
		if e.Page != "" {
			n.add(e.Page)
		} else if t, err := peer.ParseTarget(e.Magnet); err == nil {
			n.addTarget(t)
		}
	}
}
