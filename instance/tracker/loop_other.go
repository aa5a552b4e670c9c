// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package tracker

import "net"

// loop is of Linux alone.
type loop struct{}

func (t *Tracker) startLoops() {}
func (t *Tracker) stopLoops()  {}

func (t *Tracker) attach(c *conn, nc net.Conn) (serve func(bool) error, err error) {
	return newStream(c, nc), nil
}
