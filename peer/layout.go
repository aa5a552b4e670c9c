// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/anacrolix/torrent/metainfo"
)

// maxElement bounds one element of a path on disk, in bytes; file systems take 255.
const maxElement = 180

// swarmFolder is the folder of a swarm's files under dir. The infohash's first digits keep two
// swarms of the same name apart.
func swarmFolder(dir string, info *metainfo.Info, ih metainfo.Hash) string {
	return filepath.Join(dir, safeElement(info.BestName())+" ["+ih.HexString()[:8]+"]")
}

// layout returns where each file lies under root. Names that a platform forbids are changed the
// same way on all of them, and names that fall together are kept apart by a number.
func layout(root string, info *metainfo.Info) []string {
	files := info.UpvertedFiles()
	paths := make([]string, len(files))
	taken := map[string]bool{}
	for i, f := range files {
		elements := f.BestPath()
		if !info.IsDir() {
			elements = []string{info.BestName()}
		}
		safe := make([]string, len(elements))
		for j, e := range elements {
			safe[j] = safeElement(e)
		}
		path := filepath.Join(safe...)
		for n := 2; clashes(taken, path); n++ {
			ext := ""
			if len(safe) == 1 {
				ext = filepath.Ext(safe[0])
			}
			first := fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(safe[0], ext), n, ext)
			path = filepath.Join(first, filepath.Join(safe[1:]...))
		}
		for p := path; p != "."; p = filepath.Dir(p) {
			taken[strings.ToLower(p)] = taken[strings.ToLower(p)] || p == path
		}
		paths[i] = filepath.Join(root, path)
	}
	return paths
}

// clashes reports whether a path is taken: by a file, or by a folder, or a file is in its way.
func clashes(taken map[string]bool, path string) bool {
	path = strings.ToLower(path)
	if _, ok := taken[path]; ok {
		return true
	}
	for p := filepath.Dir(path); p != "."; p = filepath.Dir(p) {
		if taken[p] {
			return true
		}
	}
	return false
}

// safeElement turns a name from a torrent into one that is a plain name on every platform.
func safeElement(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < 0x20 || r == 0x7f || r == utf8.RuneError:
			return '_'
		case strings.ContainsRune(`<>:"/\|?*`, r):
			return '_'
		}
		return r
	}, s)
	if len(s) > maxElement {
		ext := filepath.Ext(s)
		if len(ext) > 16 {
			ext = ""
		}
		stem := s[:maxElement-len(ext)]
		for !utf8.ValidString(stem) {
			stem = stem[:len(stem)-1]
		}
		s = stem + ext
	}
	s = strings.TrimRight(s, ". ")
	if s == "" {
		return "_"
	}
	stem, _, _ := strings.Cut(strings.ToUpper(s), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL",
		"COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
		"LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9":
		return "_" + s
	}
	return s
}
