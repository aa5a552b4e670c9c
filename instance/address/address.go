// SPDX-License-Identifier: AGPL-3.0-or-later

// Package address builds the instance's URLs, which are PeerTube's, and its magnet links. Every
// room of the instance that names an address uses it, so that a path stands in one place. Only
// package instance and the packages below it import it.
package address

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

// Base is a public URL, scheme://host[:port] without a slash at the end.
type Base string

// Host is the base's host[:port], as PeerTube's answers name an instance.
func (b Base) Host() string {
	_, host, _ := strings.Cut(string(b), "://")
	return host
}

func (b Base) at(p string) string { return string(b) + p }

// Actor is the instance's own actor.
func (b Base) Actor() string { return b.Account(store.NameInstance) }

// Account is an account's id.
func (b Base) Account(name string) string { return b.at("/accounts/" + url.PathEscape(name)) }

// Channel is a channel's id.
func (b Base) Channel(name string) string { return b.at("/video-channels/" + url.PathEscape(name)) }

// Video is a video's id.
func (b Base) Video(uuid string) string { return b.at("/videos/watch/" + uuid) }

// WatchPage is a video's page for people.
func (b Base) WatchPage(uuid string) string { return b.at("/w/" + peertube.ShortUUID(uuid)) }

// Media is where a rendition is served, its WebSeed.
func (b Base) Media(file string) string { return b.at(MediaPath(file)) }

// Torrent is where a .torrent is served.
func (b Base) Torrent(file string) string { return b.at(TorrentPath(file)) }

// DownloadMedia is a rendition with a name for saving.
func (b Base) DownloadMedia(uuid string, f *store.File) string {
	return b.at("/download/web-videos/" + DownloadName(uuid, f))
}

// DownloadTorrent is a .torrent with a name for saving.
func (b Base) DownloadTorrent(file string) string { return b.at("/download/torrents/" + file) }

// Metadata is where PeerTube tells what ffprobe said of a rendition.
func (b Base) Metadata(uuid string, f *store.File) string {
	return b.at(fmt.Sprintf("/api/v1/videos/%s/metadata/%d", uuid, f.ID))
}

// TrackerAnnounce is the HTTP tracker.
func (b Base) TrackerAnnounce() string { return b.at("/tracker/announce") }

// TrackerSocket is the WebSocket tracker: wss with https, ws with http.
func (b Base) TrackerSocket() string {
	return "ws" + strings.TrimPrefix(string(b), "http") + "/tracker/socket"
}

// Trackers are both trackers, WebSocket first.
func (b Base) Trackers() []string { return []string{b.TrackerSocket(), b.TrackerAnnounce()} }

// MediaPath is Media without the base.
func MediaPath(file string) string { return "/static/web-videos/" + file }

// TorrentPath is Torrent without the base.
func TorrentPath(file string) string { return "/lazy-static/torrents/" + file }

// ThumbnailPath is where a thumbnail is served.
func ThumbnailPath(file string) string { return "/lazy-static/thumbnails/" + file }

// PreviewPath is where a preview is served.
func PreviewPath(file string) string { return "/lazy-static/previews/" + file }

// EmbedPath is a video's page for frames.
func EmbedPath(uuid string) string { return "/videos/embed/" + uuid }

// DownloadName is a rendition's name below /download/web-videos/.
func DownloadName(uuid string, f *store.File) string {
	return fmt.Sprintf("%s-%d%s", uuid, f.Resolution, path.Ext(f.Name))
}

// Magnet is a rendition's magnet link (BEP 9, 53), letter for letter as PeerTube writes it.
func (b Base) Magnet(title string, f *store.File) string {
	return "magnet:?xs=" + component(b.Torrent(f.Torrent.File)) +
		"&xt=urn:btih:" + f.Infohash.String() +
		"&dn=" + strings.ReplaceAll(component(title), "%20", "+") +
		"&tr=" + component(b.TrackerAnnounce()) +
		"&tr=" + component(b.TrackerSocket()) +
		"&ws=" + component(b.Media(f.Name))
}

// component escapes as JavaScript's encodeURIComponent does.
func component(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.!~*'()", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
