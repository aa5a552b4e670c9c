// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"reflect"

	"shoal/app/config"
	"shoal/peer/webrtc"
)

// serveReachability brings the settings about port mapping and ICE servers in force as they change, and
// checks how this machine can be reached, once and with other servers again.
func (a *App) serveReachability(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	defer a.options.Config.Subscribe(func(config.Config) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	on, servers, checked := false, []webrtc.ICEServer(nil), false
	for {
		network := a.options.Config.Get().Network
		if now := network.PortMapping && !onlyLoopback(); now != on {
			on = now
			a.engine.SetPortForwarding(on)
		}
		if now := iceServers(network); !checked || !reflect.DeepEqual(now, servers) {
			servers, checked = now, true
			a.engine.SetICEServers(servers)
			a.Go(func(own context.Context) { a.CheckReachability(own) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}
