// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"

	"github.com/anacrolix/torrent/metainfo"
)

// Target says which swarm to join and where to look for it.
type Target struct {
	Infohash     metainfo.Hash
	Name         string   // display name; the info's own name once that is known
	Trackers     []string // http, https, udp, ws, wss
	WebSeeds     []string // http, https (BEP 19)
	ExactSources []string // xs: addresses of the .torrent file
	MetaInfo     *metainfo.MetaInfo
}

// ParseTarget reads a magnet link or a bare infohash in hex (40 digits) or base32 (32 digits).
func ParseTarget(text string) (Target, error) { return Target{}, errors.ErrUnsupported }

// ParseMagnet reads a magnet link (BEP 9).
func ParseMagnet(text string) (Target, error) { return Target{}, errors.ErrUnsupported }

// ParseTorrent reads a .torrent file (BEP 3).
func ParseTorrent(data []byte) (Target, error) { return Target{}, errors.ErrUnsupported }

// Magnet returns the target as a magnet link.
func (t Target) Magnet() string { return "" }
