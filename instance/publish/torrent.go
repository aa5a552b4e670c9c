// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"shoal/instance/address"
	"shoal/instance/store"
)

// createdBy is what torrents say made them.
const createdBy = "Shoal"

// maxInfoName bounds a torrent's name in bytes, so that it fits as a file's name on any disk.
const maxInfoName = 200

// InfoName is the name in a rendition's torrent, as PeerTube forms it: "Title 480p.mp4". What
// cannot stand in a file's name becomes a dash.
func InfoName(title string, resolution int, ext string) string {
	tail := fmt.Sprintf(" %dp%s", resolution, ext)
	title = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == utf8.RuneError || unicode.IsControl(r) {
			return '-'
		}
		return r
	}, title)
	for len(title) > maxInfoName-len(tail) {
		_, n := utf8.DecodeLastRuneInString(title)
		title = title[:len(title)-n]
	}
	return title + tail
}

// Info makes a torrent's info dictionary (BEP 3) and its infohash.
func Info(name string, size, pieceLength int64, pieces []byte) ([]byte, store.Hash, error) {
	b, err := bencode.Marshal(metainfo.Info{Name: name, Length: size, PieceLength: pieceLength, Pieces: pieces})
	if err != nil {
		return nil, store.Hash{}, fmt.Errorf("encoding the torrent: %w", err)
	}
	return b, store.Hash(metainfo.HashBytes(b)), nil
}

// Torrent makes the .torrent file of a rendition: the trackers in a tier each (BEP 12), the WebSeed
// in url-list (BEP 19).
func Torrent(base address.Base, info []byte, media string, created time.Time) ([]byte, error) {
	mi := metainfo.MetaInfo{
		InfoBytes: info, Announce: base.TrackerSocket(), Encoding: "UTF-8", CreatedBy: createdBy,
		CreationDate: created.Unix(), UrlList: metainfo.UrlList{base.Media(media)},
	}
	for _, t := range base.Trackers() {
		mi.AnnounceList = append(mi.AnnounceList, []string{t})
	}
	var b bytes.Buffer
	if err := mi.Write(&b); err != nil {
		return nil, fmt.Errorf("encoding the torrent: %w", err)
	}
	return b.Bytes(), nil
}
