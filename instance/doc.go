// SPDX-License-Identifier: AGPL-3.0-or-later

// Package instance is Shoal's instance mode: one HTTP port that publishes videos, tracks their
// swarms, serves them as WebSeeds and answers PeerTube's REST API. It seeds what it publishes with
// the engine it is given and knows no window. Only app imports it.
package instance
