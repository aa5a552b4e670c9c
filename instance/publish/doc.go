// SPDX-License-Identifier: AGPL-3.0-or-later

// Package publish turns a video file into a published video: it probes the file, takes it into
// media/ without a second copy where the disk allows, makes a thumbnail and a preview, hashes it,
// and writes the torrent. A publication that does not come to an end leaves nothing behind. Only
// package instance imports it.
package publish
