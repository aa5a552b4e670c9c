// SPDX-License-Identifier: AGPL-3.0-or-later

// Package peertube holds the wire types of PeerTube's REST API, a client of any
// PeerTube-compatible instance for viewers, and the parsing of the addresses
// people type or paste (instances, watch pages, channels, accounts).
//
// The wire types are the ones that an instance serves: their JSON form is
// PeerTube's. Reading is tolerant (unknown fields, numbers in strings, null and
// missing values), writing is exact.
//
// It is a leaf: peer, instance and app may import it; it imports no other
// package of this module.
package peertube
