// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"

	"shoal/app/config"
)

// serveReachability brings the settings about port mapping in force, and checks once how this machine
// can be reached.
func (a *App) serveReachability(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	defer a.options.Config.Subscribe(func(config.Config) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	on := a.options.Config.Get().Network.PortMapping && !onlyLoopback()
	a.engine.SetPortForwarding(on)
	a.Go(func(own context.Context) { a.CheckReachability(own) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if now := a.options.Config.Get().Network.PortMapping && !onlyLoopback(); now != on {
			on = now
			a.engine.SetPortForwarding(on)
		}
	}
}
