// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fmt"
	"strings"
	"time"

	"shoal/peer"
)

// formatBytes writes a number of bytes for people, in powers of ten.
func formatBytes(n int64) string {
	if n < 0 {
		n = 0
	}
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		v /= 1000
		if v < 999.5 {
			break
		}
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// formatRate writes bytes per second.
func formatRate(perSecond float64) string {
	if perSecond < 1 {
		return "0 B/s"
	}
	return formatBytes(int64(perSecond)) + "/s"
}

// formatTime writes a playing time: 4:05, 1:02:03.
func formatTime(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// formatAge writes how long ago a day was.
func formatAge(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	day := 24 * time.Hour
	switch {
	case d < time.Minute:
		return tr("just now")
	case d < time.Hour:
		return plural(int(d/time.Minute), "%d minute ago", "%d minutes ago")
	case d < day:
		return plural(int(d/time.Hour), "%d hour ago", "%d hours ago")
	case d < 31*day:
		return plural(int(d/day), "%d day ago", "%d days ago")
	case d < 365*day:
		return plural(int(d/(30*day)), "%d month ago", "%d months ago")
	}
	return plural(int(d/(365*day)), "%d year ago", "%d years ago")
}

// formatCount writes a large number short: 1.2k, 3.4M.
func formatCount(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d", max(n, 0))
	case n < 999_500:
		return trimZero(fmt.Sprintf("%.1f", float64(n)/1e3)) + "k"
	}
	return trimZero(fmt.Sprintf("%.1f", float64(n)/1e6)) + "M"
}

func trimZero(s string) string { return strings.TrimSuffix(s, ".0") }

// formatPeers writes the peers by transport: "3 WebRTC · 1 TCP".
func formatPeers(p peer.Peers) string {
	var parts []string
	for _, x := range []struct {
		n    int
		name string
	}{{p.WebRTC, "WebRTC"}, {p.TCP, "TCP"}, {p.UTP, "µTP"}, {p.WebSeed, "WebSeed"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.name))
		}
	}
	return strings.Join(parts, " · ")
}

// formatRatio writes shared divided by received.
func formatRatio(up, down int64) string {
	if down <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(up)/float64(down))
}

// oneLine takes line breaks and control characters out of a text from the network and bounds its length.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // embedding that turns text around
			return -1
		}
		return r
	}, s)), " ")
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
