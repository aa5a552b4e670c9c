// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package bound

import (
	"errors"
	"syscall"
)

const (
	supported = false
	loopback  = ""
)

func bind(syscall.RawConn, string) error { return errors.ErrUnsupported }
