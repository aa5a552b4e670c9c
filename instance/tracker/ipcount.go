// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"net/netip"
	"sync"
)

// ipCounter counts what each address holds, and all together, up to two bounds. IPv6 addresses of
// one /64 count as one.
type ipCounter struct {
	mu         sync.Mutex
	perIP      map[netip.Addr]int
	all        int
	max, total int
}

func (c *ipCounter) init(maxPerIP, total int) {
	c.perIP, c.max, c.total = map[netip.Addr]int{}, maxPerIP, total
}

func ipKey(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// add counts one more, or reports that a bound is reached.
func (c *ipCounter) add(a netip.Addr) bool {
	a = ipKey(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all >= c.total || (c.max > 0 && c.perIP[a] >= c.max) {
		return false
	}
	c.all++
	c.perIP[a]++
	return true
}

func (c *ipCounter) sub(a netip.Addr) {
	a = ipKey(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.perIP[a]--; c.perIP[a] <= 0 {
		delete(c.perIP, a)
	}
}
