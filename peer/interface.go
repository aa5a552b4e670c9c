// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import "net"

// boundAddresses are those of the interface while it is up.
func (e *Engine) boundAddresses() ([]net.Addr, error) {
	var out []net.Addr
	for _, a := range e.config.Interface.Addresses() {
		out = append(out, &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())})
	}
	return out, nil
}

// reopen opens every port anew.
func (e *Engine) reopen() {
	for _, d := range e.doors { // of TCP alone: see chooseSources
		if err := d.reopen(); err != nil {
			e.logger.Warn("opening the port anew failed", "error", err)
		}
	}
	if e.transport != nil {
		if err := e.transport.Reopen(); err != nil {
			e.logger.Warn("opening the WebRTC port anew failed", "error", err)
		}
	}
}
