// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/anacrolix/torrent/metainfo"
)

// Bounds on what a magnet link or a .torrent file may bring along.
const (
	maxMagnetLength = 64 << 10
	maxURLLength    = 2048
	maxNameLength   = 512
	maxTrackers     = 64
	maxWebSeeds     = 64
	maxExactSources = 16
	maxPeers        = 256
)

// ErrNoInfohash says that a magnet link names no BitTorrent swarm.
var ErrNoInfohash = errors.New("the magnet link has no infohash (xt=urn:btih:…): copy the whole link and try again")

// Target says which swarm to join and where to look for it.
type Target struct {
	Infohash     metainfo.Hash
	Name         string   // display name; the info's own name once that is known
	Trackers     []string // http, https, udp, ws, wss
	WebSeeds     []string // http, https (BEP 19)
	ExactSources []string // xs: http or https addresses of the .torrent file
	Peers        []string // host:port of BitTorrent peers (x.pe, BEP 9)
	MetaInfo     *metainfo.MetaInfo
}

// ParseTarget reads a magnet link or a bare infohash in hex (40 digits) or base32 (32 digits).
func ParseTarget(text string) (Target, error) {
	text = strings.TrimSpace(text)
	if len(text) >= 7 && strings.EqualFold(text[:7], "magnet:") {
		return ParseMagnet(text)
	}
	h, err := parseInfohash(text)
	if err != nil {
		return Target{}, errors.New("this is neither a magnet link nor an infohash (40 hexadecimal digits)")
	}
	return Target{Infohash: h}, nil
}

// ParseMagnet reads a magnet link (BEP 9). Parameters it has no use for are ignored, as are
// addresses that are no URLs; ErrNoInfohash says that the infohash is missing.
func ParseMagnet(text string) (Target, error) {
	if len(text) > maxMagnetLength {
		return Target{}, fmt.Errorf("the magnet link is longer than %d KiB: it cannot be right", maxMagnetLength>>10)
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || !strings.EqualFold(u.Scheme, "magnet") {
		return Target{}, errors.New("this is no magnet link: it must start with magnet:?")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Target{}, fmt.Errorf("the magnet link is damaged: %w", err)
	}
	var t Target
	found := false
	for _, xt := range query["xt"] {
		rest, ok := cutPrefixFold(xt, "urn:btih:")
		if !ok {
			continue
		}
		h, err := parseInfohash(rest)
		if err != nil {
			return Target{}, errors.New("the magnet link's infohash is damaged: it must have 40 hexadecimal or 32 base32 digits")
		}
		if found && h != t.Infohash {
			return Target{}, errors.New("the magnet link names two different infohashes")
		}
		t.Infohash, found = h, true
	}
	if !found {
		return Target{}, ErrNoInfohash
	}
	t.Name = cleanName(query.Get("dn"))
	t.Trackers = cleanURLs(query["tr"], maxTrackers, trackerSchemes)
	t.WebSeeds = cleanURLs(query["ws"], maxWebSeeds, httpSchemes)
	t.ExactSources = cleanURLs(append(query["xs"], query["as"]...), maxExactSources, httpSchemes)
	t.Peers = cleanPeers(query["x.pe"])
	return t, nil
}

// Magnet returns the target as a magnet link, in the order PeerTube writes it.
func (t Target) Magnet() string {
	var b strings.Builder
	b.WriteString("magnet:?")
	for _, xs := range t.ExactSources {
		b.WriteString("xs=" + url.QueryEscape(xs) + "&")
	}
	b.WriteString("xt=urn:btih:" + t.Infohash.HexString())
	add := func(key, value string) { b.WriteString("&" + key + "=" + url.QueryEscape(value)) }
	if t.Name != "" {
		add("dn", t.Name)
	}
	for _, tr := range t.Trackers {
		add("tr", tr)
	}
	for _, ws := range t.WebSeeds {
		add("ws", ws)
	}
	for _, pe := range t.Peers {
		add("x.pe", pe)
	}
	return b.String()
}

func parseInfohash(s string) (h metainfo.Hash, err error) {
	switch len(s) {
	case 40:
		_, err = hex.Decode(h[:], []byte(s))
	case 32:
		_, err = base32.StdEncoding.Decode(h[:], []byte(strings.ToUpper(s)))
	default:
		err = errors.New("wrong length")
	}
	if err == nil && h == (metainfo.Hash{}) {
		err = errors.New("zero infohash")
	}
	return h, err
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func httpSchemes(scheme string) bool { return scheme == "http" || scheme == "https" }

func trackerSchemes(scheme string) bool {
	switch scheme {
	case "http", "https", "udp", "ws", "wss":
		return true
	}
	return false
}

// cleanURLs keeps what is an absolute URL of a known scheme with a host and without credentials,
// once each, at most max of them.
func cleanURLs(urls []string, max int, scheme func(string) bool) []string {
	var kept []string
	seen := map[string]bool{}
	for _, s := range urls {
		if len(kept) == max {
			break
		}
		s = strings.TrimSpace(s)
		if s == "" || len(s) > maxURLLength || seen[s] || !printable(s) {
			continue
		}
		u, err := url.Parse(s)
		if err != nil || !scheme(u.Scheme) || u.Hostname() == "" || u.User != nil {
			continue
		}
		seen[s] = true
		kept = append(kept, s)
	}
	return kept
}

func cleanPeers(peers []string) []string {
	var kept []string
	for _, s := range peers {
		if len(kept) == maxPeers {
			break
		}
		host, port, err := net.SplitHostPort(s)
		if err != nil || host == "" || len(s) > 255 || !printable(s) {
			continue
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// cleanName drops control characters and what is no UTF-8, and bounds the length.
func cleanName(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
	for len(s) > maxNameLength {
		r := []rune(s)
		s = string(r[:len(r)-1-(len(s)-maxNameLength)/4])
	}
	return s
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return true
}
