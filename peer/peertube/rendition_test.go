// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func heights(rs []Rendition) []int {
	var out []int
	for _, r := range rs {
		out = append(out, r.Height)
	}
	return out
}

func TestRenditionsPreferWebVideos(t *testing.T) {
	for _, name := range []string{"video.json", "video-remote-on-2.json", "video-old.json"} {
		rs := readVideo(t, name).Renditions()
		if got := heights(rs); !slices.Equal(got, []int{480, 240}) {
			t.Fatalf("%s: heights are %v", name, got)
		}
		for _, r := range rs {
			if r.HLS || r.AudioOnly || r.Audio != nil || r.Size == 0 || !strings.Contains(string(r.Video.MagnetURI), "web-videos") {
				t.Errorf("%s: rendition is %+v", name, r)
			}
		}
	}
}

func TestRenditionsOfHLSAlone(t *testing.T) {
	rs := readVideo(t, "video-hls-only.json").Renditions()
	if got := heights(rs); !slices.Equal(got, []int{480, 240}) {
		t.Fatalf("heights are %v", got)
	}
	if r := rs[0]; !r.HLS || r.Audio != nil || r.Size != 924179 || r.FPS != 25 || !strings.Contains(string(r.Video.MagnetURI), "893799672fa5") {
		t.Errorf("best rendition is %+v", r)
	}
}

func TestRenditionsPairPictureWithSound(t *testing.T) {
	rs := readVideo(t, "video-hls-split-audio.json").Renditions()
	if got := heights(rs); !slices.Equal(got, []int{480, 240, 0}) {
		t.Fatalf("heights are %v", got)
	}
	for _, r := range rs[:2] {
		if r.Audio == nil || r.Audio.Resolution.Number() != 0 || r.Audio.MagnetURI == r.Video.MagnetURI {
			t.Fatalf("%dp has the sound %+v", r.Height, r.Audio)
		}
		if r.Size != int64(r.Video.Size)+190000 {
			t.Errorf("%dp has %d bytes", r.Height, r.Size)
		}
	}
	if last := rs[2]; !last.AudioOnly || last.Audio != nil {
		t.Errorf("last rendition is %+v", last)
	}
}

func TestRenditionsFallBack(t *testing.T) {
	v := readVideo(t, "video.json")

	sound := v
	sound.Files = List[VideoFile]{{Resolution: NewConstant(0, "Audio only"), MagnetURI: "magnet:?x", Size: 3}}
	if rs := sound.Renditions(); len(rs) != 2 || !rs[0].HLS {
		t.Errorf("with web sound alone the renditions are %+v", rs)
	}
	sound.StreamingPlaylists = nil
	if r, ok := Pick(sound.Renditions(), 720); !ok || !r.AudioOnly {
		t.Errorf("sound alone picks %+v, %v", r, ok)
	}

	silent := v
	no, yes := false, true
	silent.Files = List[VideoFile]{{Resolution: NewConstant(360, "360p"), MagnetURI: "magnet:?x", HasAudio: &no, HasVideo: &yes}}
	if rs := silent.Renditions(); len(rs) != 1 || rs[0].Audio != nil || rs[0].AudioOnly {
		t.Errorf("a silent film's renditions are %+v", rs)
	}

	upright := VideoDetails{Files: List[VideoFile]{{Width: 720, Height: 1280, TorrentURL: "https://video.example/t.torrent"}}}
	if rs := upright.Renditions(); len(rs) != 1 || rs[0].Height != 720 {
		t.Errorf("an upright film's renditions are %+v", rs)
	}
}

func TestPick(t *testing.T) {
	rs := []Rendition{{Height: 1080}, {Height: 720, FPS: 60}, {Height: 720, FPS: 30}, {Height: 240}, {AudioOnly: true}}
	for want, heights := range map[int][]int{
		1080: {0, -1, 1080, 2160},
		720:  {720, 1079},
		240:  {240, 719, 144, 1},
	} {
		for _, h := range heights {
			if r, ok := Pick(rs, h); !ok || r.Height != want || r.AudioOnly {
				t.Errorf("Pick(%d) = %+v, %v, want %d", h, r, ok, want)
			}
		}
	}
	if r, _ := Pick(rs, 720); r.FPS != 60 {
		t.Errorf("of two 720p, the one with %d fps was picked", r.FPS)
	}
	if r, ok := Pick(nil, 720); ok {
		t.Errorf("Pick of nothing is %+v", r)
	}
}

func TestPlayable(t *testing.T) {
	v := readVideo(t, "video.json")
	if err := v.Playable(); err != nil {
		t.Fatal(err)
	}
	noTorrent := v
	noTorrent.StreamingPlaylists, noTorrent.Files = nil, List[VideoFile]{{FileURL: "https://video.example/a.mp4"}}
	v.Files, v.StreamingPlaylists = nil, nil
	live, waiting := v, v
	live.IsLive = true
	waiting.State = NewConstant(StateToTranscode, "To transcode")
	for want, v := range map[string]VideoDetails{"live": live, "preparing": waiting, "no file": v, "no torrent": noTorrent} {
		var e *Error
		if err := v.Playable(); !errors.As(err, &e) || e.Code != CodeNotPlayable || !strings.Contains(e.Text, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
