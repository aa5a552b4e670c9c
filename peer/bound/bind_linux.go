// SPDX-License-Identifier: AGPL-3.0-or-later

package bound

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	supported = true
	loopback  = "lo"
)

// bind needs no privilege for a socket that is not bound yet, from Linux 5.7 on.
func bind(c syscall.RawConn, name string) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), name) }); e != nil {
		return e //nolint:wrapcheck // the caller wraps
	}
	return err //nolint:wrapcheck // the caller wraps
}
