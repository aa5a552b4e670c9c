// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import "strings"

// Names of the properties attached to a file.
const (
	propCodecType = "ffprobe_codec_type"
	propFormat    = "peertube_format_flag"
)

// PageLink is the link to a video's page for people; it comes first.
func PageLink(address string) Link { return Link{Type: "Link", MediaType: typeHTML, Href: address} }

// FileLinks are the links of one file: the file, its metadata, torrent and magnet, each with the height that ties them
// together. A whole height and size are always there, and fps only where it is known: PeerTube drops files without.
func FileLinks(f VideoLink) []Link {
	height, width, fps, size := int64(f.Height), int64(f.Width), int64(f.FPS), f.Size
	base := Link{Type: "Link", Height: &height}
	if f.Width > 0 {
		base.Width = &width
	}
	if f.FPS >= 0 {
		base.FPS = &fps
	}
	file := base
	file.MediaType, file.Href, file.Size, file.Attachment = f.MediaType, f.URL, &size, properties(f)
	links := []Link{file}
	add := func(mediaType, href string, rel ...string) {
		if href == "" {
			return
		}
		l := base
		l.MediaType, l.Href, l.Rel = mediaType, href, rel
		links = append(links, l)
	}
	add(typeJSON, f.Metadata, "metadata", f.MediaType)
	add(typeTorrent, f.Torrent)
	add(typeMagnet, f.Magnet)
	return links
}

func properties(f VideoLink) []Property {
	var out []Property
	add := func(name, value string) {
		out = append(out, Property{Type: "PropertyValue", Name: name, Value: value})
	}
	if f.HasAudio {
		add(propCodecType, "audio")
	}
	if f.HasVideo {
		add(propCodecType, "video")
	}
	if f.Fragmented {
		add(propFormat, "fragmented")
	} else {
		add(propFormat, "web-video")
	}
	return out
}

// PlaylistLink is the link of an HLS playlist with its files.
func PlaylistLink(p HLS) Link {
	l := Link{Type: "Link", MediaType: typePlaylist, Href: p.URL, Tag: []Link{}}
	for _, hash := range p.Infohashes {
		l.Tag = append(l.Tag, Link{Type: "Infohash", Name: hash})
	}
	if p.SegmentsSHA256 != "" {
		l.Tag = append(l.Tag, Link{Type: "Link", Name: "sha256", MediaType: typeJSON, Href: p.SegmentsSHA256})
	}
	for _, f := range p.Files {
		f.Fragmented = true
		l.Tag = append(l.Tag, FileLinks(f)...)
	}
	return l
}

// TrackerLink is the link of a tracker: ws or wss, http or https.
func TrackerLink(address string) Link {
	kind := "http"
	if strings.HasPrefix(address, "ws://") || strings.HasPrefix(address, "wss://") {
		kind = "websocket"
	}
	return Link{Type: "Link", Name: "tracker-" + kind, Rel: []string{"tracker", kind}, Href: address}
}
