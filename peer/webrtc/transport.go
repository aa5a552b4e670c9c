// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"errors"
	"net"
)

// Transport is every WebRTC connection of one torrent client.
type Transport struct{}

// Swarm is one torrent that the Transport has joined.
type Swarm struct{}

// New opens the UDP port that all connections share.
func New(Config) (*Transport, error) { return nil, errors.New("stub") }

// Listener hands out opened data channels, each a net.Conn, for torrent.Client.AddListener.
func (*Transport) Listener() net.Listener { return nil }

// Join joins a swarm.
func (*Transport) Join(SwarmConfig) *Swarm { return nil }

// Port is the UDP port in use.
func (*Transport) Port() int { return 0 }

// Close leaves all swarms.
func (*Transport) Close() error { return nil }

// AddTrackers adds trackers to the swarm.
func (*Swarm) AddTrackers([]string) {}

// Completed announces that the download has completed.
func (*Swarm) Completed() {}

// Trackers tells how the swarm's trackers are.
func (*Swarm) Trackers() []TrackerStatus { return nil }

// Peers is how many connections are open.
func (*Swarm) Peers() int { return 0 }

// Close leaves the swarm.
func (*Swarm) Close() error { return nil }
