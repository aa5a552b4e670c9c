// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// sameUser refuses a client of another user, who may have come in before the socket had its mode
// (SO_PEERCRED, unix(7)). root may do anything anyway.
func sameUser(conn net.Conn) error {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("the connection is no unix socket")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("reading peer's user: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, credErr); err != nil {
		return fmt.Errorf("reading peer's user: %w", err)
	}
	if uid := int(cred.Uid); uid != os.Geteuid() && uid != 0 {
		return fmt.Errorf("user %d is not the one who runs Shoal", uid)
	}
	return nil
}
