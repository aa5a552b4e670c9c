// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import "io/fs"

// fileUsed returns a file's size.
func fileUsed(info fs.FileInfo) int64 { return info.Size() }
