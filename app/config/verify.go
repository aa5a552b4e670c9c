// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeyError is a setting with a value that cannot be.
type KeyError struct {
	Key    string // dotted, as in the file
	Reason string // what is wrong and what to write instead
}

func (e *KeyError) Error() string { return e.Key + ": " + e.Reason }

// Verify checks every value. The error is a *KeyError naming the first bad one.
func (c Config) Verify() error {
	for _, check := range []func() error{c.verifyPaths, c.verifyInstances, c.Sharing.verify, c.Network.verify, c.Limits.verify, c.Instance.verify} {
		if err := check(); err != nil {
			return err
		}
	}
	if c.ReadAhead < minReadAhead || c.ReadAhead > maxReadAhead {
		return badKey("readAhead", "%d is out of range: write %d to %d bytes", c.ReadAhead, minReadAhead, maxReadAhead)
	}
	return nil
}

func badKey(key, format string, args ...any) error {
	return &KeyError{Key: key, Reason: fmt.Sprintf(format, args...)}
}

func (c Config) verifyPaths() error {
	for _, p := range []struct{ key, path string }{{"data", c.Data}, {"downloads", c.Downloads}, {"instance.watchFolder", c.Instance.WatchFolder}} {
		if p.path != "" && !filepath.IsAbs(p.path) {
			return badKey(p.key, "%q is no full path: write one such as %q", p.path, filepath.Join(string(filepath.Separator), "srv", "shoal"))
		}
		if len(p.path) > maxTextLen || strings.ContainsRune(p.path, 0) {
			return badKey(p.key, "the path is too long or holds a null byte: write a shorter one")
		}
	}
	return nil
}

func (c Config) verifyInstances() error {
	if c.HomeInstance != "" {
		if err := verifyURL("homeInstance", c.HomeInstance); err != nil {
			return err
		}
	}
	if len(c.RecentInstances) > maxListItems {
		return badKey("recentInstances", "holds %d entries: keep at most %d", len(c.RecentInstances), maxListItems)
	}
	for _, u := range c.RecentInstances {
		if err := verifyURL("recentInstances", u); err != nil {
			return err
		}
	}
	return nil
}

func verifyURL(key, text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxTextLen || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return badKey(key, "%q is no web address: write one such as \"https://video.example.org\"", text)
	}
	return nil
}

func (n Network) verify() error {
	if !n.WebRTC && !n.TCP && !n.UTP && !n.WebSeed {
		return badKey("network.webrtc", "every way to carry bytes is off: switch on one of webrtc, tcp, utp, webseed")
	}
	for _, p := range []struct {
		key  string
		port int
	}{{"network.torrentPort", n.TorrentPort}, {"network.icePort", n.ICEPort}} {
		if p.port < 0 || p.port > 65535 {
			return badKey(p.key, "%d is no port: write 1 to 65535, or 0 to pick one", p.port)
		}
	}
	if n.TorrentPort != 0 && n.TorrentPort == n.ICEPort {
		return badKey("network.icePort", "%d is the torrent port too: write another one", n.ICEPort)
	}
	err := verifyLimits(map[string]int64{"network.uploadLimit": n.UploadLimit, "network.downloadLimit": n.DownloadLimit})
	if err != nil {
		return err
	}
	for _, check := range []func() error{n.Schedule.verify, n.verifyProxy, n.verifyICE} {
		if err := check(); err != nil {
			return err
		}
	}
	if n.Interface != "" && runtime.GOOS != "linux" {
		return badKey("network.interface", "peer traffic can be kept to a network interface on Linux alone: leave it empty")
	}
	if len(n.Interface) > maxInterfaceLen || strings.ContainsAny(n.Interface, "/ \t\n\x00") {
		return badKey("network.interface", "%q is no interface's name: write one such as \"wg0\"", n.Interface)
	}
	return nil
}

// verifyLimits checks rates, in bytes per second.
func verifyLimits(limits map[string]int64) error {
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		if limits[key] < 0 {
			return badKey(key, "%d is below zero: write bytes per second, or 0 for no limit", limits[key])
		}
	}
	return nil
}

func (n Network) verifyProxy() error {
	if n.Proxy == "" {
		return nil
	}
	u, err := url.Parse(n.Proxy)
	if err != nil || len(n.Proxy) > maxTextLen || !slices.Contains([]string{"socks5", "http", "https"}, u.Scheme) || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return badKey("network.proxy", "this is no proxy: write one such as \"socks5://127.0.0.1:1080\"")
	}
	return nil
}

// weekdays are the names of Schedule.Days, Sunday first as in time.Weekday.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func (s Schedule) verify() error {
	for _, d := range s.Days {
		if !slices.Contains(weekdays(), d) {
			return badKey("network.schedule.days", "%q is no day: write mon, tue, wed, thu, fri, sat or sun", d)
		}
	}
	for _, t := range []struct{ key, text string }{{"network.schedule.from", s.From}, {"network.schedule.to", s.To}} {
		if _, err := time.Parse(clock, t.text); err != nil {
			return badKey(t.key, "%q is no time of the day: write one such as \"18:30\"", t.text)
		}
	}
	return verifyLimits(map[string]int64{"network.schedule.uploadLimit": s.UploadLimit, "network.schedule.downloadLimit": s.DownloadLimit})
}

// clock is how times of the day are written.
const clock = "15:04"

func (s Sharing) verify() error {
	for _, n := range []struct {
		key   string
		value int64
	}{{"sharing.budget", s.Budget}, {"sharing.keepFree", s.KeepFree}, {"sharing.seedHours", int64(s.SeedHours)}, {"sharing.idleHours", int64(s.IdleHours)}} {
		if n.value < 0 {
			return badKey(n.key, "%d is below zero: write a number, or 0 for none", n.value)
		}
	}
	if !(s.Ratio >= 0 && s.Ratio <= maxRatio) { // not a number is neither
		return badKey("sharing.ratio", "%v is out of range: write 0 to %d", s.Ratio, maxRatio)
	}
	return nil
}

func (l Limits) verify() error {
	for _, n := range []struct {
		key                string
		value, least, most int
	}{
		{"limits.connections", l.Connections, 10, 10_000},
		{"limits.connectionsPerSwarm", l.ConnectionsPerSwarm, 4, 1000},
		{"limits.halfOpen", l.HalfOpen, 1, 500},
		{"limits.openFiles", l.OpenFiles, 16, 100_000},
	} {
		if n.value < n.least || n.value > n.most {
			return badKey(n.key, "%d is out of range: write %d to %d", n.value, n.least, n.most)
		}
	}
	if l.Memory != 0 && l.Memory < minMemory {
		return badKey("limits.memory", "%d is too little: write %d bytes or more, or 0 for no limit", l.Memory, int64(minMemory))
	}
	return nil
}

func (n Network) verifyICE() error {
	const key = "network.iceServers"
	if len(n.ICEServers) > maxListItems {
		return badKey(key, "holds %d servers: keep at most %d", len(n.ICEServers), maxListItems)
	}
	for _, s := range n.ICEServers {
		if len(s.URLs) == 0 || len(s.URLs) > maxListItems {
			return badKey(key, "a server needs 1 to %d urls", maxListItems)
		}
		for _, u := range s.URLs {
			scheme, host, _ := strings.Cut(u, ":")
			switch scheme {
			case "stun", "stuns", "turn", "turns": // RFC 7064, RFC 7065
			default:
				return badKey(key, "%q is no ICE server: write one such as \"stun:stun.example.org:3478\"", u)
			}
			if host == "" || strings.HasPrefix(host, "//") {
				return badKey(key, "%q names no host: write one such as \"stun:stun.example.org:3478\"", u)
			}
			if strings.HasPrefix(scheme, "turn") && (s.Username == "" || s.Credential == "") {
				return badKey(key, "%q needs username and credential", u)
			}
		}
	}
	return nil
}

func (i Instance) verify() error {
	if i.Listen != "" {
		_, port, err := net.SplitHostPort(i.Listen)
		if n, convErr := strconv.Atoi(port); err != nil || convErr != nil || n < 0 || n > 65535 {
			return badKey("instance.listen", "%q is no HOST:PORT: write one such as \"127.0.0.1:9000\"", i.Listen)
		}
	}
	if i.URL != "" {
		if err := verifyURL("instance.url", i.URL); err != nil {
			return err
		}
	}
	if err := verifyLimits(map[string]int64{"instance.uploadLimit": i.UploadLimit, "instance.uploadLimitPerIP": i.UploadLimitPerIP}); err != nil {
		return err
	}
	if len(i.WatchChannel) > 120 {
		return badKey("instance.watchChannel", "is too long: write a channel's name")
	}
	if len(i.Name) > 120 {
		return badKey("instance.name", "is too long: write at most 120 bytes")
	}
	return nil
}
