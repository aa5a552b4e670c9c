// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// clone makes a copy that shares the file's blocks on the disk (ioctl_ficlone(2)). Few file systems
// can do it.
func clone(from, to string) (err error) {
	src, err := open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it is served to anyone
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	err = unix.IoctlFileClone(int(dst.Fd()), int(src.Fd()))
	if err == nil {
		err = dst.Sync()
	}
	return errors.Join(err, dst.Close())
}
