// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"strconv"
	"strings"
	"time"
)

// maxStart bounds a start position; no video is longer.
const maxStart = 1000 * time.Hour

// parseStart reads PeerTube's ?start=: seconds ("90"), "1h2m3s" or "1:02:03". What
// it cannot read is 0: the video plays all the same, from its beginning.
func parseStart(s string) time.Duration {
	s = strings.ToLower(strings.TrimSpace(s))
	if strings.Contains(s, ":") {
		return parseClock(s)
	}
	if s != "" && strings.Trim(s, "0123456789.") == "" {
		s += "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxStart {
		return 0
	}
	return d.Truncate(time.Second)
}

// parseClock reads "[h:]m:s".
func parseClock(s string) time.Duration {
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0
	}
	var seconds int64
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 22)
		if err != nil {
			return 0
		}
		seconds = seconds*60 + int64(n)
	}
	d := time.Duration(seconds) * time.Second
	if d > maxStart {
		return 0
	}
	return d
}

// formatStart writes whole seconds in the form of PeerTube's share links: "1h2m3s".
func formatStart(d time.Duration) string { return d.Truncate(time.Second).String() }
