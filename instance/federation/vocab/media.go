// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/base32"
	"encoding/hex"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Media types of a video's links.
const (
	typeTorrent  = "application/x-bittorrent"
	typeMagnet   = "application/x-bittorrent;x-scheme-handler/magnet"
	typePlaylist = "application/x-mpegURL"
	typeJSON     = "application/json"
	typeHTML     = "text/html"
)

// VideoLink is one file of a video with what belongs to it.
type VideoLink struct {
	// MediaType is video/mp4, video/webm, video/ogg or audio/mp4.
	MediaType, URL string
	// Height and Width are in pixels; Height 0 is sound alone.
	Height, Width int
	// Size is in bytes, 0 where it is not told.
	Size int64
	// FPS is frames a second, rounded; -1 where it is not told.
	FPS int
	// Torrent, Magnet and Metadata are addresses, empty where there are none.
	Torrent, Magnet, Metadata string
	// Infohash is 40 lower-case hex digits out of the magnet, or empty.
	Infohash string
	// HasVideo and HasAudio are true where the file says so, or says nothing.
	HasVideo, HasAudio bool
	// Fragmented is true for a file of an HLS playlist.
	Fragmented bool
}

// HLS is a master playlist and its files.
type HLS struct {
	URL string
	// SegmentsSHA256 is the address of the segments' hashes, or empty.
	SegmentsSHA256 string
	// Infohashes are as told; a receiver computes its own.
	Infohashes []string
	Files      []VideoLink
}

// Files are the web videos, each with the torrent, magnet and metadata of its height. A file of a media type or an
// address that nobody plays is left out.
func (v Video) Files() []VideoLink { return filesOf(v.Links, false) }

// Playlists are the HLS playlists.
func (v Video) Playlists() []HLS {
	var out []HLS
	for _, l := range v.Links {
		if l.MediaType != typePlaylist || !web(l.Href) {
			continue
		}
		p := HLS{URL: l.Href, Files: filesOf(l.Tag, true)}
		for _, tag := range l.Tag {
			switch {
			case tag.Type == "Infohash":
				p.Infohashes = append(p.Infohashes, strings.ToLower(tag.Name))
			case tag.Name == "sha256" && tag.MediaType == typeJSON && web(tag.Href):
				p.SegmentsSHA256 = tag.Href
			}
		}
		out = append(out, p)
	}
	return out
}

// Trackers are the trackers' announce addresses: ws, wss, http or https.
func (v Video) Trackers() []string {
	var out []string
	for _, l := range v.Links {
		if !slices.Contains(l.Rel, "tracker") {
			continue
		}
		if web(l.Href) || strings.HasPrefix(l.Href, "ws://") || strings.HasPrefix(l.Href, "wss://") {
			out = append(out, l.Href)
		}
	}
	return out
}

// HTMLPage is the address of the page for people; the video's id where it tells none.
func (v Video) HTMLPage() string {
	for _, l := range v.Links {
		if l.MediaType == typeHTML && web(l.Href) {
			return l.Href
		}
	}
	return v.ID
}

// Hashtags are the names of the video's tags.
func (v Video) Hashtags() []string {
	var out []string
	for _, t := range v.Tag {
		if t.Type == "Hashtag" && t.Name != "" {
			out = append(out, strings.TrimPrefix(t.Name, "#"))
		}
	}
	return out
}

func web(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

func playable(mediaType string) bool {
	return slices.Contains([]string{"video/mp4", "video/webm", "video/ogg", "audio/mp4"}, mediaType)
}

func filesOf(links []Link, fragmented bool) []VideoLink {
	var files []VideoLink
	for _, l := range links {
		if playable(l.MediaType) && web(l.Href) && !slices.Contains(l.Rel, "metadata") {
			files = append(files, fileOf(l, fragmented))
		}
	}
	for _, l := range links {
		attach(files, l)
	}
	return files
}

func fileOf(l Link, fragmented bool) VideoLink {
	f := VideoLink{
		MediaType: l.MediaType, URL: l.Href, Height: small(l.Height), Width: small(l.Width), FPS: -1,
		HasVideo: true, HasAudio: true, Fragmented: fragmented,
	}
	if l.Size != nil && *l.Size > 0 {
		f.Size = *l.Size
	}
	if fps, err := strconv.ParseFloat(string(l.Extra["fps"]), 64); err == nil && fps >= 0 && fps <= 1000 {
		f.FPS = int(math.Round(fps))
	}
	if l.FPS != nil && *l.FPS >= 0 && *l.FPS <= 1000 {
		f.FPS = int(*l.FPS)
	}
	var kinds []string
	for _, p := range l.Attachment {
		switch p.Name {
		case propCodecType:
			kinds = append(kinds, p.Value)
		case propFormat:
			f.Fragmented = p.Value == "fragmented"
		}
	}
	if kinds != nil {
		f.HasVideo, f.HasAudio = slices.Contains(kinds, "video"), slices.Contains(kinds, "audio")
	}
	return f
}

// attach gives a torrent, a magnet or a metadata link to the first file of its height that has none.
func attach(files []VideoLink, l Link) {
	height, fps := small(l.Height), -1
	if l.FPS != nil {
		fps = small(l.FPS)
	}
	for i := range files {
		f := &files[i]
		if f.Height != height {
			continue
		}
		switch {
		case l.MediaType == typeTorrent && f.Torrent == "" && web(l.Href):
			f.Torrent = l.Href
		case l.MediaType == typeMagnet && f.Magnet == "" && strings.HasPrefix(l.Href, "magnet:?"):
			f.Magnet, f.Infohash = l.Href, Infohash(l.Href)
			if f.Torrent == "" {
				f.Torrent = exactSource(l.Href)
			}
		case l.MediaType == typeJSON && slices.Contains(l.Rel, "metadata") && slices.Contains(l.Rel, f.MediaType) &&
			f.FPS == fps && f.Metadata == "" && web(l.Href):
			f.Metadata = l.Href
		default:
			continue
		}
		return
	}
}

func small(n *int64) int {
	if n == nil || *n < 0 || *n > 1<<20 {
		return 0
	}
	return int(*n)
}

// Infohash reads the v1 infohash of a magnet link: 40 lower-case hex digits, or empty.
func Infohash(magnet string) string {
	query, ok := strings.CutPrefix(magnet, "magnet:?")
	if !ok {
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	for _, xt := range values["xt"] {
		hash, ok := strings.CutPrefix(xt, "urn:btih:")
		if !ok {
			continue
		}
		if raw, err := hex.DecodeString(hash); err == nil && len(raw) == 20 {
			return strings.ToLower(hash)
		}
		if raw, err := base32.StdEncoding.DecodeString(strings.ToUpper(hash)); err == nil && len(raw) == 20 {
			return hex.EncodeToString(raw)
		}
	}
	return ""
}

// exactSource is a magnet's xs: where its .torrent is.
func exactSource(magnet string) string {
	values, err := url.ParseQuery(strings.TrimPrefix(magnet, "magnet:?"))
	if err != nil || !web(values.Get("xs")) {
		return ""
	}
	return values.Get("xs")
}
