// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/netip"
	"testing"
	"time"
)

func newViews() *views {
	v := new(views)
	v.init()
	return v
}

// network is the nth address; each is of another network.
func network(n int) netip.Addr {
	a := netip.MustParseAddr("2001:db8::1").As16()
	a[5], a[6], a[7] = byte(n>>16), byte(n>>8), byte(n)
	return netip.AddrFrom16(a)
}

// One customer's addresses each counted as a viewer.
func TestOneNetworkIsOneViewer(t *testing.T) {
	v, now := newViews(), time.Now()
	for _, ip := range []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.1"} {
		v.add(7, netip.MustParseAddr(ip), now)
	}
	if v.count[7] != 3 {
		t.Errorf("%d views", v.count[7])
	}
}

// When many viewers were remembered, no view counted for an hour.
func TestManyViewersKeepNobodyFromCounting(t *testing.T) {
	v, now := newViews(), time.Now()
	for n := range maxViewers + 10 {
		v.add(7, network(n), now)
	}
	if v.count[7] != maxViewers+10 || len(v.seen) != maxViewers || len(v.order) != maxViewers {
		t.Errorf("%d views, %d and %d remembered", v.count[7], len(v.seen), len(v.order))
	}
	v.add(7, network(maxViewers), now.Add(viewEvery-time.Second))
	v.add(8, network(0), now.Add(viewEvery))
	v.add(7, network(maxViewers), now.Add(viewEvery))
	if v.count[7] != maxViewers+11 || v.count[8] != 1 || len(v.seen) != 2 {
		t.Errorf("%d and %d views, %d remembered", v.count[7], v.count[8], len(v.seen))
	}
}
