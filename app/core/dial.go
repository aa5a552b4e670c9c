// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/http/httpproxy"

	"shoal/peer/library"
	"shoal/peer/safedial"
)

// named are the hosts that a person, and not somebody else's video, led the program to. They may be
// on a private network; the trackers, WebSeeds and torrents that a video or a magnet link names may
// not, so that nobody's video makes this machine knock at its neighbours' doors. A nil map allows none.
type named struct {
	mu    sync.Mutex
	hosts map[string]bool
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

// dial connects to public addresses, and to named hosts wherever they are.
func (n *named) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	return safedial.Context(err == nil && n.has(host))(ctx, network, address)
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

// addPages takes the instances of what the library holds: a person had led the program there.
func (n *named) addPages(entries []library.Entry) {
	for _, e := range entries {
		n.add(e.Page)
	}
}
