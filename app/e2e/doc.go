// SPDX-License-Identifier: AGPL-3.0-or-later

// Package e2e tests the built program from outside: as processes that talk to each other over the
// loopback, and as a window on a virtual display. It imports none of Shoal's packages and nobody
// imports it. Its tests carry the build tag e2e; they need ffmpeg, libmpv, Xvfb, openbox, xdotool
// and ImageMagick, and fail where one is missing.
//
//	SHOAL_PROGRAM=FILE     test this program instead of building one
//	SHOAL_SCREENSHOT=FILE  where a picture of the window goes while it plays
package e2e
