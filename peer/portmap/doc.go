// SPDX-License-Identifier: AGPL-3.0-or-later

// Package portmap asks the router to let peers in: by PCP (RFC 6887), NAT-PMP (RFC 6886) or UPnP's
// Internet Gateway Device. It talks to the router's own address alone, and everything that the router
// says is bounded. It imports nothing of Shoal; package peer imports it.
//
// The libraries that there are speak one protocol each, cannot be cancelled, and follow a UPnP
// device's LOCATION wherever it leads; what is needed of the three fits in a few hundred lines.
package portmap
