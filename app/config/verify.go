// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// KeyError is a setting with a value that cannot be.
type KeyError struct {
	Key    string // dotted, as in the file
	Reason string // what is wrong and what to write instead
}

func (e *KeyError) Error() string { return e.Key + ": " + e.Reason }

// Verify checks every value. The error is a *KeyError naming the first bad one.
func (c Config) Verify() error {
	for _, check := range []func() error{c.verifyPaths, c.verifyInstances, c.Network.verify, c.Instance.verify} {
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
	for _, p := range []struct{ key, path string }{{"data", c.Data}, {"downloads", c.Downloads}} {
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
	for _, l := range []struct {
		key   string
		limit int64
	}{{"network.uploadLimit", n.UploadLimit}, {"network.downloadLimit", n.DownloadLimit}} {
		if l.limit < 0 {
			return badKey(l.key, "%d is below zero: write bytes per second, or 0 for no limit", l.limit)
		}
	}
	return n.verifyICE()
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
	if len(i.Name) > 120 {
		return badKey("instance.name", "is too long: write at most 120 bytes")
	}
	return nil
}
