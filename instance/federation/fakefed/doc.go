// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fakefed is a fediverse in memory: whole remote instances on loopback HTTP servers, with
// actors that sign what they post, documents that they serve, and a record of what they are sent.
// It can be as hostile as a test asks for. Tests alone import it.
package fakefed
