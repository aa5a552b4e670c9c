// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !windows

package peer

const isWindows = false
