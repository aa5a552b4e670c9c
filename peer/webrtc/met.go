// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"net/netip"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// Met counts the connections that came about, by the way they took. It tells who can be reached.
type Met struct {
	// Local are with peers of the same machine or network, Direct with others, Relayed through a
	// TURN server of ours or theirs.
	Local, Direct, Relayed int64
}

type met struct{ local, direct, relayed atomic.Int64 }

// note counts a connection by its selected candidate pair.
func (m *met) note(pair *webrtc.ICECandidatePair) {
	if pair == nil || pair.Local == nil || pair.Remote == nil {
		return
	}
	ip, err := netip.ParseAddr(pair.Remote.Address)
	switch {
	case pair.Local.Typ == webrtc.ICECandidateTypeRelay || pair.Remote.Typ == webrtc.ICECandidateTypeRelay:
		m.relayed.Add(1)
	case err != nil || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast():
		m.local.Add(1)
	default:
		m.direct.Add(1)
	}
}

// Met returns the counts so far.
func (t *Transport) Met() Met {
	return Met{Local: t.met.local.Load(), Direct: t.met.direct.Load(), Relayed: t.met.relayed.Load()}
}
