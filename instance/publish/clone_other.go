// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package publish

import "errors"

func clone(_, _ string) error { return errors.ErrUnsupported }
