// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build unix

package core

import "golang.org/x/sys/unix"

// diskFree returns the bytes of a folder's disk that this user can fill, -1 where that is unknown.
func diskFree(dir string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the types differ from system to system
}
