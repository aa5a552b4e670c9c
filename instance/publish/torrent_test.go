// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/anacrolix/torrent/metainfo"
)

// TestTorrentIsPeerTubes builds a torrent that a PeerTube server wrote, byte for byte but for who
// made it.
func TestTorrentIsPeerTubes(t *testing.T) {
	want, err := os.ReadFile("testdata/peertube-480.torrent")
	if err != nil {
		t.Fatal(err)
	}
	mi, err := metainfo.Load(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := mi.UnmarshalInfo()
	if err != nil {
		t.Fatal(err)
	}
	raw, infohash, err := Info(InfoName("Sample video renamed", 480, ".mp4"), 561385, PieceLength(561385), theirs.Pieces)
	if err != nil {
		t.Fatal(err)
	}
	if got := infohash.String(); got != "e99a81786e8c6513a4e3fdd3d947f86a871ade06" {
		t.Errorf("infohash %s", got)
	}
	got, err := Torrent("http://127.0.0.1:9001", raw, "d17d1cde-68e1-4af2-a6cc-a31d1f498610-480.mp4", time.Unix(mi.CreationDate, 0))
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.Replace(want, []byte("8:PeerTube"), []byte("5:Shoal"), 1)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestInfoNameFitsADisk(t *testing.T) {
	for title, want := range map[string]string{
		"Sample":     "Sample 480p.mp4",
		"a/b\\c\x00": "a-b-c- 480p.mp4",
		"../..":      "..-.. 480p.mp4",
	} {
		if got := InfoName(title, 480, ".mp4"); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
	got := InfoName(strings.Repeat("語", 120), 1080, ".webm")
	if len(got) > maxInfoName || !utf8.ValidString(got) || !strings.HasSuffix(got, "語 1080p.webm") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
