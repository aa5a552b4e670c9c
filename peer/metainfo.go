// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
)

// Bounds on a .torrent file. BEP 3 names none.
const (
	maxTorrentSize  = 16 << 20 // bytes
	maxPieceLength  = 64 << 20 // bytes
	maxPieces       = 1 << 20
	maxFiles        = 20000
	maxPathDepth    = 32
	maxPathLength   = 1024
	maxBencodeDepth = 40
)

// ParseTorrent reads a .torrent file (BEP 3). It refuses what the engine could not work with:
// lengths and piece counts at odds, paths out of the folder, pure BitTorrent v2 (BEP 52).
func ParseTorrent(data []byte) (Target, error) {
	if len(data) > maxTorrentSize {
		return Target{}, fmt.Errorf("the torrent file is larger than %d MiB: it cannot be right", maxTorrentSize>>20)
	}
	if err := checkBencode(data); err != nil {
		return Target{}, fmt.Errorf("this is no torrent file, or it is damaged: %w", err)
	}
	var mi metainfo.MetaInfo
	if err := bencode.Unmarshal(data, &mi); err != nil {
		return Target{}, fmt.Errorf("this is no torrent file, or it is damaged: %w", err)
	}
	return targetFromMetaInfo(&mi)
}

// targetFromMetaInfo checks a decoded .torrent file and cleans its addresses.
func targetFromMetaInfo(mi *metainfo.MetaInfo) (Target, error) {
	info, err := parseInfo(mi.InfoBytes)
	if err != nil {
		return Target{}, err
	}
	var trackers []string
	for _, tier := range mi.UpvertedAnnounceList() {
		trackers = append(trackers, tier...)
	}
	return Target{
		Infohash: mi.HashInfoBytes(),
		Name:     cleanName(info.BestName()),
		Trackers: cleanURLs(trackers, maxTrackers, trackerSchemes),
		WebSeeds: cleanURLs(mi.UrlList, maxWebSeeds, httpSchemes),
		MetaInfo: mi,
	}, nil
}

// parseInfo decodes and checks an info dictionary.
func parseInfo(data []byte) (*metainfo.Info, error) {
	if len(data) == 0 {
		return nil, errors.New("the torrent file has no info dictionary")
	}
	if err := checkBencode(data); err != nil {
		return nil, fmt.Errorf("the torrent's info is damaged: %w", err)
	}
	var info metainfo.Info
	if err := bencode.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("the torrent's info is damaged: %w", err)
	}
	if err := checkInfo(&info); err != nil {
		return nil, fmt.Errorf("the torrent cannot be used: %w", err)
	}
	return &info, nil
}

// checkInfo refuses an info whose numbers or paths do not hold together.
func checkInfo(info *metainfo.Info) error {
	if len(info.Pieces) == 0 && info.HasV2() {
		return errors.New("it is BitTorrent v2 only, and this program speaks v1 and hybrid")
	}
	if info.PieceLength < 1 || info.PieceLength > maxPieceLength {
		return fmt.Errorf("its piece length %d is out of range", info.PieceLength)
	}
	if info.HasV2() && (info.PieceLength < 16<<10 || info.PieceLength&(info.PieceLength-1) != 0) {
		return fmt.Errorf("its piece length %d is no power of two", info.PieceLength)
	}
	if len(info.Pieces) == 0 || len(info.Pieces)%20 != 0 || len(info.Pieces)/20 > maxPieces {
		return fmt.Errorf("its list of piece hashes has %d bytes", len(info.Pieces))
	}
	if len(info.Files) > maxFiles {
		return fmt.Errorf("it has %d files", len(info.Files))
	}
	if len(info.Files) > 0 && info.Length != 0 {
		return errors.New("it says both that it is one file and that it is many")
	}
	if info.HasV2() {
		if err := info.FileTree.Validate(); err != nil {
			return err
		}
	}
	return checkFiles(info)
}

func checkFiles(info *metainfo.Info) error {
	if err := checkPathElement(info.BestName()); err != nil {
		return fmt.Errorf("its name: %w", err)
	}
	var total, pieces, count int64
	for f := range info.UpvertedFilesIter() {
		if count++; count > maxFiles {
			return errors.New("it has too many files")
		}
		if f.Length < 0 || f.Length > math.MaxInt64/4 || total > math.MaxInt64/4 {
			return errors.New("a file's length is out of range")
		}
		total += f.Length
		if info.HasV2() {
			pieces += (f.Length + info.PieceLength - 1) / info.PieceLength
		}
		path := f.BestPath()
		if info.IsDir() && len(path) == 0 || len(path) > maxPathDepth {
			return errors.New("a file's path is empty or too deep")
		}
		if len(strings.Join(path, "/")) > maxPathLength {
			return errors.New("a file's path is too long")
		}
		for _, element := range path {
			if err := checkPathElement(element); err != nil {
				return fmt.Errorf("a file's path: %w", err)
			}
		}
	}
	if total == 0 {
		return errors.New("it has no data")
	}
	if !info.HasV2() {
		pieces = (total + info.PieceLength - 1) / info.PieceLength
	}
	if pieces != int64(len(info.Pieces)/20) {
		return fmt.Errorf("its %d bytes and its %d piece hashes are at odds", total, len(info.Pieces)/20)
	}
	return nil
}

func checkPathElement(s string) error {
	switch {
	case s == "" || s == "." || s == "..":
		return fmt.Errorf("%q is no file name", s)
	case len(s) > maxPathLength:
		return errors.New("a file name is too long")
	case strings.ContainsAny(s, "/\\\x00"):
		return fmt.Errorf("%q leads out of the folder", s)
	case !utf8.ValidString(s):
		return fmt.Errorf("%q is no UTF-8", s)
	}
	return nil
}

// checkBencode walks over one bencoded value (BEP 3) and refuses nesting and lengths that would
// cost the real decoder out of proportion.
func checkBencode(data []byte) error {
	depth, values := 0, 0
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == 'd' || c == 'l':
			if depth++; depth > maxBencodeDepth {
				return errors.New("nested too deeply")
			}
			i++
		case c == 'e':
			if depth--; depth < 0 {
				return errors.New("unbalanced")
			}
			i++
		case c == 'i':
			end := bytes.IndexByte(data[i:min(len(data), i+24)], 'e')
			if end < 2 {
				return errors.New("bad number")
			}
			i += end + 1
		case c >= '0' && c <= '9':
			n, rest := 0, i
			for rest < len(data) && data[rest] >= '0' && data[rest] <= '9' {
				if n = n*10 + int(data[rest]-'0'); n > len(data) {
					return errors.New("text longer than the data")
				}
				rest++
			}
			if rest >= len(data) || data[rest] != ':' || n > len(data)-rest-1 {
				return errors.New("bad text")
			}
			i = rest + 1 + n
		default:
			return fmt.Errorf("unexpected byte at %d", i)
		}
		if depth == 0 {
			if values++; i != len(data) {
				return errors.New("data after the end")
			}
		}
	}
	if depth != 0 || values != 1 {
		return errors.New("ends too early")
	}
	return nil
}
