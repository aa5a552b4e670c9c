// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"net"

	"github.com/anacrolix/torrent"
)

// engineDialer is one of the client's own dialers that gives up when the engine closes. The
// client's dials would outlive it by up to 20 s.
type engineDialer struct {
	torrent.Dialer
	ctx context.Context // ends with the engine
}

func (d engineDialer) Dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	return d.Dialer.Dial(ctx, addr)
}

// addDialers has the client dial by what it listens on, TCP and µTP.
func (e *Engine) addDialers() {
	for _, l := range e.client.Listeners() {
		if d, ok := l.(torrent.Dialer); ok {
			e.client.AddDialer(engineDialer{Dialer: d, ctx: e.ctx})
		}
	}
}
