// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"fmt"
	"slices"
	"strings"
)

// Source is a way by which payload travels.
type Source string

// The sources, as they are named on the command line and in JSON.
const (
	SourceWebRTC  Source = "webrtc"  // data channels with WebTorrent peers
	SourceTCP     Source = "tcp"     // BitTorrent over TCP (BEP 3)
	SourceUTP     Source = "utp"     // BitTorrent over µTP (BEP 29)
	SourceWebSeed Source = "webseed" // HTTP copies (BEP 19)
)

// Sources is a set of sources. The empty set means "no restriction" where an option allows that.
type Sources []Source

// AllSources returns every source there is.
func AllSources() Sources {
	return Sources{SourceWebRTC, SourceTCP, SourceUTP, SourceWebSeed}
}

// Has reports whether s is in the set.
func (ss Sources) Has(s Source) bool { return slices.Contains(ss, s) }

// String returns the set as ParseSources reads it.
func (ss Sources) String() string {
	names := make([]string, len(ss))
	for i, s := range ss {
		names[i] = string(s)
	}
	return strings.Join(names, ",")
}

// ParseSources reads a comma-separated list such as "webrtc,tcp". An empty text is the empty set.
func ParseSources(text string) (Sources, error) {
	var ss Sources
	for name := range strings.SplitSeq(text, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		s := Source(name)
		if !AllSources().Has(s) {
			return nil, fmt.Errorf("unknown source %q: choose from %s", name, AllSources())
		}
		if !ss.Has(s) {
			ss = append(ss, s)
		}
	}
	return ss, nil
}

// Bytes counts bytes by source.
type Bytes struct {
	WebRTC  int64 `json:"webrtc"`
	TCP     int64 `json:"tcp"`
	UTP     int64 `json:"utp"`
	WebSeed int64 `json:"webseed"`
}

// Sum returns the bytes of all sources together.
func (b Bytes) Sum() int64 { return b.WebRTC + b.TCP + b.UTP + b.WebSeed }

// Plus returns the sums by source.
func (b Bytes) Plus(o Bytes) Bytes {
	return Bytes{b.WebRTC + o.WebRTC, b.TCP + o.TCP, b.UTP + o.UTP, b.WebSeed + o.WebSeed}
}

// Minus returns the differences by source.
func (b Bytes) Minus(o Bytes) Bytes {
	return Bytes{b.WebRTC - o.WebRTC, b.TCP - o.TCP, b.UTP - o.UTP, b.WebSeed - o.WebSeed}
}

func (b *Bytes) add(s Source, n int64) {
	switch s {
	case SourceWebRTC:
		b.WebRTC += n
	case SourceTCP:
		b.TCP += n
	case SourceUTP:
		b.UTP += n
	case SourceWebSeed:
		b.WebSeed += n
	}
}

// Peers counts connected peers by source. A WebSeed counts while it is in use or ready to be.
type Peers struct {
	WebRTC  int `json:"webrtc"`
	TCP     int `json:"tcp"`
	UTP     int `json:"utp"`
	WebSeed int `json:"webseed"`
}

// Sum returns the peers of all sources together.
func (p Peers) Sum() int { return p.WebRTC + p.TCP + p.UTP + p.WebSeed }
