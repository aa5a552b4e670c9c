// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build unix

package core

import (
	"io/fs"
	"syscall"
)

// fileUsed returns what a file takes on disk: one that is still arriving has holes.
func fileUsed(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return min(stat.Blocks*512, info.Size())
	}
	return info.Size()
}
