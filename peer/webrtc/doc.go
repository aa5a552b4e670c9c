// SPDX-License-Identifier: AGPL-3.0-or-later

// Package webrtc is Shoal's WebTorrent transport. It keeps WebSocket connections to trackers,
// trades offers and answers there, and hands each data channel that opens to a torrent client as
// a net.Conn through one net.Listener.
//
// Package peer imports it; it imports no other package of this program and knows no torrent
// engine: what it needs of one (infohash, peer id, extension bits, counters) comes in a SwarmConfig.
package webrtc
