// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package control

import "net"

// sameUser relies on the socket's mode and the folder's access rules.
func sameUser(net.Conn) error { return nil }
