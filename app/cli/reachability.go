// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import "shoal/app/core"

// printReachability says who can reach this machine.
func printReachability(out *output, r core.Reachability) {
	out.fact("%s", r.Message)
	if r.Fix != "" {
		out.fact("  %s", r.Fix)
	}
	for _, p := range []struct {
		name string
		port core.PortReach
	}{{"WebRTC", r.WebRTC}, {"TCP", r.TCP}, {"uTP", r.UTP}} {
		if p.port.State != core.ReachOff {
			out.fact("  %s port %d: %s", p.name, p.port.Port, p.port.Message)
		}
	}
	if r.Interface != "" {
		out.fact("  Peer traffic goes through %s alone.", r.Interface)
	}
	if r.Proxy != "" {
		out.fact("  Trackers and WebSeeds are reached by the proxy %s.", r.Proxy)
	}
}
