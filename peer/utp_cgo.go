// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build cgo

package peer

// haveUTP tells whether this build speaks µTP.
const haveUTP = true
