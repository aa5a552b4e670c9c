// SPDX-License-Identifier: AGPL-3.0-or-later

// Package tracker is a BitTorrent tracker over WebSocket (WebTorrent's protocol) and HTTP (BEP 3,
// 7, 23, 48). It is a leaf: which infohashes it tracks and how a client's address is found are
// given to it as functions. Only package instance imports it.
package tracker
