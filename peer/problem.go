// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// windowsDiskFull and windowsAddressInUse are ERROR_DISK_FULL and WSAEADDRINUSE.
const (
	windowsDiskFull     = syscall.Errno(112)
	windowsAddressInUse = syscall.Errno(10048)
)

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || isWindows && errors.Is(err, windowsDiskFull)
}

func isReadOnly(err error) bool {
	return errors.Is(err, syscall.EROFS)
}

func isAddressInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || isWindows && errors.Is(err, windowsAddressInUse)
}

// storageProblem turns a storage error into one sentence for a person.
func storageProblem(dir string, err error) string {
	switch {
	case isDiskFull(err):
		return fmt.Sprintf("The disk that holds %s is full: make room. Fetching goes on within minutes then, or at once if you resume.", dir)
	case errors.Is(err, fs.ErrPermission) || isReadOnly(err):
		return fmt.Sprintf("The folder %s cannot be written to: change its permissions, then resume.", dir)
	default:
		return fmt.Sprintf("Writing to %s failed (%v): see to the disk, then resume.", dir, err)
	}
}

// checkWritable creates dir if need be and proves that files can be made in it.
func checkWritable(dir string) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("the folder %s cannot be written to: choose another, or change its permissions: %w", filepath.Clean(dir), err)
	}
	return nil
}
