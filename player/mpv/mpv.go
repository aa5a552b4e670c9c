// SPDX-License-Identifier: AGPL-3.0-or-later

// Package mpv binds libmpv at run time: no header or library is needed to build, and a program
// starts without it. Only player imports it.
package mpv

import "errors"

// ErrNoLibrary says that libmpv is not on this machine.
var ErrNoLibrary = errors.New("libmpv is missing")
