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

	network time.Duration // between looks at the machine's addresses
	refresh time.Duration // least time between two reactions to a change of the network

	arrival  time.Duration // how long the first peer may take to come
	disgrace time.Duration // how long a WebSeed is left alone after its first lie; it doubles

	rest time.Duration // a swarm that nobody needs rests after this

	diskMin time.Duration // first pause before writing is tried again
	diskMax time.Duration // longest
}

func (t timings) orDefaults() timings {
	return timings{
		look:   cmp.Or(t.look, time.Second),
		settle: cmp.Or(t.settle, 2*time.Second),

		network: cmp.Or(t.network, 5*time.Second),
		refresh: cmp.Or(t.refresh, 30*time.Second),

		arrival:  cmp.Or(t.arrival, 3*time.Second),
		disgrace: cmp.Or(t.disgrace, time.Minute),

		rest: cmp.Or(t.rest, time.Minute),

		diskMin: cmp.Or(t.diskMin, 30*time.Second),
		diskMax: cmp.Or(t.diskMax, 10*time.Minute),
	}
}
