// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"errors"
	"fmt"
	"testing"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/fetch"
	"shoal/peer/safedial"
)

// TestACaptivePortalEndedAllDeliveries checks that a name that leads to a private address now is tried
// again, and an address that is refused for what it is, is not.
func TestACaptivePortalEndedAllDeliveries(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"a refused address":     {&fetch.Error{Code: fetch.CodeBlockedAddress}, true},
		"a private one by name": {&fetch.Error{Code: fetch.CodeBlockedAddress, Err: fmt.Errorf("connecting: %w", safedial.ErrPrivate)}, false},
		"no answer":             {&fetch.Error{Code: fetch.CodeTimeout}, false},
	} {
		if err := permanent(c.err); errors.Is(err, delivery.ErrPermanent) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
