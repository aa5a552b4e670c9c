// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"math/rand/v2"
	"time"
)

// Pauses between attempts.
const (
	firstBackoff = 30 * time.Second
	maxBackoff   = 4 * time.Hour
	// firstPause is what a host is left alone for after a first failure; it doubles until breakAt
	// failures in a row. From then on the back-off holds, and one probe goes out at a time.
	firstPause = time.Second
	breakAt    = 5
	// maxRetryAfter bounds the pause that a host asks for.
	maxRetryAfter = 6 * time.Hour
	// sane is the longest that anything can have to wait; more means that the clock was changed.
	sane = maxRetryAfter + time.Hour
)

// backoff is the pause after the nth failure: 30 s, doubled each time up to 4 h, give or take a
// quarter, so that hosts that failed together do not come back together.
func backoff(n uint64) time.Duration {
	d := maxBackoff
	if n = max(n, 1) - 1; n < 16 {
		d = min(firstBackoff<<n, maxBackoff)
	}
	return jitter(d)
}

// hostPause is how long a host is left alone after its nth failure in a row.
func hostPause(n uint64) time.Duration {
	if n >= breakAt {
		return backoff(n)
	}
	return jitter(firstPause << (max(n, 1) - 1))
}

func jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(rand.Int64N(int64(d/2)+1))
}

func (h *health) broken() bool { return h.fails >= breakAt }

// due reports whether e may be tried now. A wait that was the whole host's fault ends when the host
// works, and does not count against a probe.
func (e *entry) due(h *health, now int64) bool {
	if e.next <= now || e.next > now+sane.Milliseconds() {
		return true
	}
	return !e.ownWait && (h.fails == 0 || h.broken())
}
