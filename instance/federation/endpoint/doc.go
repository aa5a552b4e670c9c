// SPDX-License-Identifier: AGPL-3.0-or-later

// Package endpoint answers what other instances ask of this one: webfinger, host-meta, nodeinfo, actors with their
// outboxes and followers, videos with their likes, shares and comments, and single activities. It only reads the
// store. Package federation imports it.
package endpoint
