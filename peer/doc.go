// SPDX-License-Identifier: AGPL-3.0-or-later

// Package peer is the torrent engine: it joins swarms over WebRTC, TCP, µTP and WebSeeds, streams
// their files while the pieces arrive, and seeds what it holds. It knows no instance and no window;
// instance and app import it, the player gets its streams handed over as an io.ReadSeekCloser.
package peer
