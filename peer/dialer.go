// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/anacrolix/torrent"
)

// Why a peer is not dialed.
var (
	errFull        = errors.New("there are as many connections as the settings allow")
	errOtherFamily = errors.New("the address is of another version of IP")
)

// engineDialer is a dialer that keeps to the engine's limits, and gives up
// when the engine closes. The client's dials would outlive it by up to 20 s.
type engineDialer struct {
	torrent.Dialer
	engine *Engine
}

func (d engineDialer) Dial(ctx context.Context, addr string) (net.Conn, error) {
	e := d.engine
	if to, err := netip.ParseAddrPort(addr); err == nil && to.Addr().Unmap().Is4() != strings.HasSuffix(d.DialerNetwork(), "4") {
		return nil, errOtherFamily
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	if !e.dials.enter(ctx.Done()) {
		return nil, ctx.Err()
	}
	defer e.dials.leave()
	if !e.wantsDials() {
		return nil, errFull // the peer is heard of again with the next announce
	}
	return d.Dialer.Dial(ctx, addr)
}

// halfOpenPeers is how many peers the client may dial at one time: each by every way there is.
func (e *Engine) halfOpenPeers(l Limits) int {
	ways := 0
	for _, s := range []Source{SourceTCP, SourceUTP} {
		if e.sources.Has(s) {
			ways++
		}
	}
	return max(1, l.HalfOpen/max(1, ways))
}
