// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !cgo

package desktop

import (
	"context"

	"shoal/app/core"
)

// Available reports whether this build has a window.
const Available = false

// Run says that this build has no window: Fyne needs cgo.
func Run(context.Context, *core.App, Options) error {
	return &core.Error{Code: "noWindow", Message: "this build of Shoal has no window: use the commands (shoal --help), or build it with CGO_ENABLED=1"}
}
