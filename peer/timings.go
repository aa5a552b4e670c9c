// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"cmp"
	"time"
)

// timings are the engine's times; tests shorten them. Zero means the default.
type timings struct {
	look   time.Duration // between looks at the files that are in use
	settle time.Duration // a file that was changed is left in peace for so long before it is hashed
}

func (t timings) orDefaults() timings {
	return timings{
		look:   cmp.Or(t.look, time.Second),
		settle: cmp.Or(t.settle, 2*time.Second),
	}
}
