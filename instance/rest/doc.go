// SPDX-License-Identifier: AGPL-3.0-or-later

// Package rest answers PeerTube's REST API, as far as a viewer asks it, in peer/peertube's wire
// types. It reads snapshots of the store and writes nothing. Only package instance imports it.
package rest
