// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"errors"
	"fmt"
	"testing"

	"shoal/instance/fault"
)

// Scripts tell failures apart by their codes.
func TestCodesOfTheInstancesErrors(t *testing.T) {
	for code, err := range map[string]error{
		CodeNotFound: fault.NotFound("none"), CodeBadInput: fault.BadInput("bad"), CodeRefused: fault.Refused("no"),
		CodeBlocked: fault.Blocked("blocked"), CodeFailed: errors.New("anything"),
	} {
		if got := CodeOf(fmt.Errorf("wrapped: %w", err)); got != code {
			t.Errorf("%v: %s instead of %s", err, got, code)
		}
	}
}
