// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/netip"
)

// addr is the synthetic address of a peer: a unique local one (RFC 4193), the same for the same
// peer id at the same IP address, port 1.
//
// Torrent clients ban a peer that sent bad pieces by the IP address in String. With the real one
// they would ban everybody behind it, and with none they have nothing to ban. AddrPort is zero, so
// that nobody mistakes the address for one to dial or gossips it by peer exchange (BEP 11).
type addr struct{ ip netip.Addr }

// newAddr derives a peer's address. Both parts are needed: by the id alone a liar could get another
// peer banned by using its id; by the IP alone everybody behind it would be banned.
func newAddr(salt [32]byte, peerID [20]byte, remoteIP string) addr {
	mac := hmac.New(sha256.New, salt[:])
	mac.Write(peerID[:])
	mac.Write([]byte(remoteIP))
	var ip [16]byte
	copy(ip[:], mac.Sum(nil))
	ip[0] = 0xfd
	return addr{ip: netip.AddrFrom16(ip)}
}

// Network is "webrtc".
func (addr) Network() string { return "webrtc" }

// String is the synthetic address, as "[fd…]:1".
func (a addr) String() string {
	ip := a.ip
	if !ip.IsValid() {
		ip = netip.AddrFrom16([16]byte{0: 0xfd, 15: 1})
	}
	return netip.AddrPortFrom(ip, 1).String()
}

// AddrPort is zero: the peer cannot be dialled.
func (addr) AddrPort() netip.AddrPort { return netip.AddrPort{} }
