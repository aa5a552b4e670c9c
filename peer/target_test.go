// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
)

func peertubeMagnets(tb testing.TB) []string {
	tb.Helper()
	b, err := os.ReadFile("testdata/peertube/magnets.txt")
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Fields(string(b))
}

func peertubeTorrents(tb testing.TB) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob("testdata/peertube/*.torrent")
	if err != nil || len(paths) == 0 {
		tb.Fatal(paths, err)
	}
	torrents := map[string][]byte{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			tb.Fatal(err)
		}
		torrents[filepath.Base(p)] = b
	}
	return torrents
}

func TestPeerTubeMagnetsRoundTrip(t *testing.T) {
	for _, link := range peertubeMagnets(t) {
		target, err := ParseMagnet(link)
		if err != nil {
			t.Fatal(err)
		}
		if target.Magnet() != link {
			t.Errorf("got  %s\nwant %s", target.Magnet(), link)
		}
		if len(target.Trackers) != 2 || len(target.WebSeeds) != 1 || len(target.ExactSources) != 1 || target.Name != "Sample video renamed" {
			t.Errorf("%+v", target)
		}
	}
}

// TestPeerTubeTorrents reads captured .torrent files; each belongs to one of the magnet links.
func TestPeerTubeTorrents(t *testing.T) {
	hashes := map[metainfo.Hash]Target{}
	for _, link := range peertubeMagnets(t) {
		target, err := ParseMagnet(link)
		if err != nil {
			t.Fatal(err)
		}
		hashes[target.Infohash] = target
	}
	for name, data := range peertubeTorrents(t) {
		got, err := ParseTorrent(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		magnet, ok := hashes[got.Infohash]
		if !ok {
			t.Fatalf("%s: infohash %s is in no magnet link", name, got.Infohash)
		}
		if !reflect.DeepEqual(got.WebSeeds, magnet.WebSeeds) || len(got.Trackers) < 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestParseTarget(t *testing.T) {
	const hex = "e99a81786e8c6513a4e3fdd3d947f86a871ade06"
	const base32 = "5GNIC6DORRSRHJHD7XJ5SR7YNKDRVXQG"
	for _, text := range []string{
		hex, strings.ToUpper(hex), base32, " " + hex + "\n", strings.ToLower(base32),
		"magnet:?xt=urn:btih:" + hex, "magnet:?xt=urn:btih:" + base32, "MAGNET:?dn=x&xt=urn:BTIH:" + hex,
	} {
		got, err := ParseTarget(text)
		if err != nil || got.Infohash.HexString() != hex {
			t.Errorf("%q: %v, %v", text, got.Infohash, err)
		}
	}
	for _, text := range []string{
		"", "magnet:", "magnet:?", "magnet:?dn=film", "magnet:?xt=urn:btih:", "magnet:?xt=urn:btih:zz", "http://example.org/",
		"magnet:?xt=urn:btmh:1220caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e",
		"magnet:?xt=urn:btih:" + hex + "&xt=urn:btih:" + strings.Repeat("a", 40), strings.Repeat("0", 40),
		"magnet:?xt=urn:btih:" + hex + "&dn=%zz", "magnet:?xt=urn:btih:" + hex + strings.Repeat("&tr=http%3A%2F%2Fa", 9000),
	} {
		if got, err := ParseTarget(text); err == nil {
			t.Errorf("%.80q: %+v", text, got)
		}
	}
	if _, err := ParseMagnet("magnet:?dn=film"); !errors.Is(err, ErrNoInfohash) {
		t.Errorf("%v", err)
	}
	got, err := ParseMagnet("magnet:?xt=urn:btih:" + hex + "&tr=javascript:x&tr=ws://&tr=http://u:p@h/&tr=udp://h:1&ws=ftp://h/&ws=https://h/v&xs=file:///etc/passwd&x.pe=1.2.3.4:5&x.pe=nonsense")
	if err != nil {
		t.Fatal(err)
	}
	want := Target{Infohash: got.Infohash, Trackers: []string{"udp://h:1"}, WebSeeds: []string{"https://h/v"}, Peers: []string{"1.2.3.4:5"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// badInfos are infos that the engine, or the file system, would stumble over.
func badInfos() map[string]metainfo.Info {
	sums := func(n int) []byte { return make([]byte, 20*n) }
	file := func(length int64, path ...string) []metainfo.FileInfo {
		return []metainfo.FileInfo{{Length: length, Path: path}}
	}
	return map[string]metainfo.Info{
		"no piece length":       {Name: "a", Length: 10, Pieces: sums(1)},
		"negative piece length": {Name: "a", Length: 10, PieceLength: -1, Pieces: sums(1)},
		"huge piece length":     {Name: "a", Length: 10, PieceLength: 1 << 40, Pieces: sums(1)},
		"negative length":       {Name: "a", Length: -10, PieceLength: 10, Pieces: sums(1)},
		"negative file":         {Name: "a", Files: file(-5, "b"), PieceLength: 10, Pieces: sums(1)},
		"sum overflows": {Name: "a", PieceLength: 1 << 20, Pieces: sums(1), Files: []metainfo.FileInfo{
			{Length: 1<<62 + 1, Path: []string{"a"}}, {Length: 1<<62 + 1, Path: []string{"b"}}, {Length: 1<<62 + 1, Path: []string{"c"}}, {Length: 1<<62 + 1, Path: []string{"d"}},
		}},
		"no pieces":       {Name: "a", Length: 10, PieceLength: 10},
		"torn hashes":     {Name: "a", Length: 10, PieceLength: 10, Pieces: make([]byte, 19)},
		"too few pieces":  {Name: "a", Length: 100, PieceLength: 10, Pieces: sums(1)},
		"too many pieces": {Name: "a", Length: 10, PieceLength: 10, Pieces: sums(9)},
		"no data":         {Name: "a", Files: file(0, "b"), PieceLength: 10, Pieces: sums(1)},
		"dot dot":         {Name: "a", Files: file(10, "..", "b"), PieceLength: 10, Pieces: sums(1)},
		"slash":           {Name: "a", Files: file(10, "/etc/passwd"), PieceLength: 10, Pieces: sums(1)},
		"backslash":       {Name: "a", Files: file(10, `..\b`), PieceLength: 10, Pieces: sums(1)},
		"empty path":      {Name: "a", Files: file(10), PieceLength: 10, Pieces: sums(1)},
		"name is dot dot": {Name: "..", Length: 10, PieceLength: 10, Pieces: sums(1)},
		"no name":         {Length: 10, PieceLength: 10, Pieces: sums(1)},
		"utf-8 name":      {Name: "ok", NameUtf8: "../x", Length: 10, PieceLength: 10, Pieces: sums(1)},
		"v2 only":         {Name: "a", MetaVersion: 2, PieceLength: 16 << 10},
		"both":            {Name: "a", Length: 10, Files: file(10, "b"), PieceLength: 10, Pieces: sums(1)},
	}
}

func TestBadTorrents(t *testing.T) {
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	for name, info := range badInfos() {
		encoded, err := bencode.Marshal(info)
		if err != nil {
			t.Fatal(name, err)
		}
		data, err := bencode.Marshal(metainfo.MetaInfo{InfoBytes: encoded})
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := ParseTorrent(data); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
		if _, err := e.Join(t.Context(), Target{MetaInfo: &metainfo.MetaInfo{InfoBytes: encoded}}, JoinOptions{}); err == nil {
			t.Errorf("%s: joined", name)
		}
	}
	for _, data := range []string{
		"", "d", "de", "i1e", "le", "d4:info", "d4:infod4:name1:aee", "<html></html>", "d4:info99999999:xe",
		"d4:info" + strings.Repeat("l", 100000), strings.Repeat("d1:a", 100000), "d4:infodee extra",
	} {
		if got, err := ParseTorrent([]byte(data)); err == nil {
			t.Errorf("%.40q: %+v", data, got)
		}
	}
}

func TestLayout(t *testing.T) {
	info := &metainfo.Info{Name: "x", Files: []metainfo.FileInfo{
		{Path: []string{"a", "b.txt"}},
		{Path: []string{"A", "B.txt"}},
		{Path: []string{"a"}},
		{Path: []string{"con.mp4"}},
		{Path: []string{"q?*.mp4"}},
		{Path: []string{"q__.mp4"}},
		{Path: []string{"end. "}},
		{Path: []string{strings.Repeat("ü", 200) + ".mp4"}},
		{Path: []string{"end", "deep"}},
	}}
	seen := map[string]bool{}
	for _, p := range layout("root", info) {
		if rel, err := filepath.Rel("root", p); err != nil || !filepath.IsLocal(rel) || len(filepath.Base(p)) > 200 {
			t.Errorf("%s: %v", p, err)
		}
		low := strings.ToLower(p)
		if seen[low] {
			t.Errorf("%s: twice", p)
		}
		for other := range seen {
			if strings.HasPrefix(low, other+string(filepath.Separator)) || strings.HasPrefix(other, low+string(filepath.Separator)) {
				t.Errorf("%s is in the way of %s", low, other)
			}
		}
		seen[low] = true
	}
}

func TestParseSources(t *testing.T) {
	got, err := ParseSources("webrtc, TCP,webrtc,")
	if err != nil || got.String() != "webrtc,tcp" {
		t.Fatal(got, err)
	}
	if got, err := ParseSources(""); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	if _, err := ParseSources("carrier pigeon"); err == nil {
		t.Fatal("no error")
	}
}

// FuzzParseMagnet: what parses writes a link that parses to the same.
func FuzzParseMagnet(f *testing.F) {
	for _, link := range peertubeMagnets(f) {
		f.Add(link)
	}
	f.Add("magnet:?xt=urn:btih:5GNIC6DORRSRHJHD7XJ5SR7YNKDRVXQG&dn=a%00b&tr=udp://h:1&x.pe=[::1]:5")
	f.Fuzz(func(t *testing.T, link string) {
		one, err := ParseMagnet(link)
		if err != nil {
			return
		}
		if one.Infohash == (metainfo.Hash{}) || len(one.Trackers) > maxTrackers || len(one.Name) > maxNameLength {
			t.Fatalf("out of bounds: %+v", one)
		}
		two, err := ParseMagnet(one.Magnet())
		if err != nil {
			t.Fatalf("%q, from %q: %v", one.Magnet(), link, err)
		}
		if !reflect.DeepEqual(one, two) {
			t.Fatalf("%+v\n%+v", one, two)
		}
	})
}

// FuzzParseTorrent: what parses has sound numbers, stays in its folder, and parses again to the
// same after it was written.
func FuzzParseTorrent(f *testing.F) {
	for _, data := range peertubeTorrents(f) {
		f.Add(data)
	}
	for _, info := range badInfos() {
		encoded, err := bencode.Marshal(info)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte("d4:info" + string(encoded) + "e"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		one, err := ParseTorrent(data)
		if err != nil {
			return
		}
		info, err := one.MetaInfo.UnmarshalInfo()
		if err != nil {
			t.Fatal(err)
		}
		if info.NumPieces()*20 != len(info.Pieces) || info.TotalLength() <= 0 {
			t.Fatalf("%d pieces, %d bytes of hashes, %d bytes", info.NumPieces(), len(info.Pieces), info.TotalLength())
		}
		for i := range info.NumPieces() {
			if n := info.Piece(i).Length(); n <= 0 || n > info.PieceLength {
				t.Fatalf("piece %d has %d bytes", i, n)
			}
		}
		for _, p := range layout("root", &info) {
			if rel, err := filepath.Rel("root", p); err != nil || !filepath.IsLocal(rel) {
				t.Fatalf("%q leads out", p)
			}
		}
		written, err := bencode.Marshal(one.MetaInfo)
		if err != nil {
			t.Fatal(err)
		}
		two, err := ParseTorrent(written)
		if err != nil {
			t.Fatalf("written, it does not parse: %v", err)
		}
		if one.Infohash != two.Infohash || !reflect.DeepEqual(one.WebSeeds, two.WebSeeds) {
			t.Fatal("written, it is another")
		}
	})
}
