// SPDX-License-Identifier: AGPL-3.0-or-later

// Package webseed serves what is published as files: media with ranges (BEP 19), torrents and
// pictures. It is a leaf: which file a name stands for is given to it as functions, so no path of a
// request ever reaches the disk. Only package instance imports it.
package webseed
