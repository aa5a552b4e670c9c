// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import "golang.org/x/sys/windows"

// diskFree returns the bytes of a folder's disk that this user can fill, -1 where that is unknown.
func diskFree(dir string) int64 {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return -1
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil || free > 1<<62 {
		return -1
	}
	return int64(free)
}
