// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// What parses formats, and parses again to the same.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"video.example", "https://video.example/w/" + testShort + "?start=1m30s", "[::1]:9000/c/x@y.z", "http://VIDÉO.example./a/b",
		"localhost:80", "magnet:?xt=urn:btih:00", "//a.b/videos/embed/1;x", "https://a.b:443/videos/watch/" + testUUID + "?start=1:2", "https://faß.de", "http://a。b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		loc, err := ParseURL(s)
		if err != nil {
			if loc != (Location{}) || err.Error() == "" {
				t.Fatalf("%q: %+v with error %q", s, loc, err)
			}
			return
		}
		if again, err := ParseURL(loc.String()); err != nil || again != loc {
			t.Fatalf("%q is %+v, formats as %q, which is %+v, %v", s, loc, loc, again, err)
		}
		if !strings.HasPrefix(loc.Instance, "https://") && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(s)), "http://") {
			t.Fatalf("%q became %s though http was not typed", s, loc.Instance)
		}
	})
}

// addBodies seeds a fuzz test with the bodies of captures.
func addBodies(f *testing.F, names ...string) {
	for _, name := range names {
		var b bytes.Buffer
		if err := json.Compact(&b, readCapture(f, name).Body); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	for _, s := range []string{`{}`, `[]`, `null`, `"x"`, `{"id":"9007199254740993","fps":1e400,"duration":-0.5,"aspectRatio":1e-320}`} {
		f.Add([]byte(s))
	}
}

// roundTrip checks that what is read is written, and read again as the same. It
// reports whether b is JSON.
func roundTrip[T any](t *testing.T, b []byte) (T, bool) {
	t.Helper()
	var first, second T
	if decodeLenient(b, &first) != nil {
		return first, false
	}
	out, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("writing %+v: %v", first, err)
	}
	if err := json.Unmarshal(out, &second); err != nil {
		t.Fatalf("reading %s: %v", out, err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Fatalf("%+v\nis written as\n%s\nand read as\n%+v", first, out, second)
	}
	return first, true
}

func FuzzVideo(f *testing.F) {
	addBodies(f, "video.json", "video-remote-on-2.json", "video-hls-only.json", "video-hls-split-audio.json", "video-old.json")
	f.Add([]byte(`{"files":[null,{"magnetUri":"m","resolution":{"id":-5},"size":"-1","fps":9e15,"hasVideo":true}],"streamingPlaylists":[{"files":[{"torrentUrl":"t"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := roundTrip[VideoDetails](t, b)
		if !ok {
			return
		}
		rs := v.Renditions()
		if (len(rs) > 0) != (v.Playable() == nil) {
			t.Fatalf("%d renditions, but %v", len(rs), v.Playable())
		}
		for _, h := range []int{-1, 0, 240, 720, 1 << 40} {
			r, ok := Pick(rs, h)
			if ok != (len(rs) > 0) {
				t.Fatalf("picked %v of %d", ok, len(rs))
			}
			if ok && r.Video.MagnetURI == "" && r.Video.TorrentURL == "" {
				t.Fatalf("picked a file without a swarm: %+v", r)
			}
		}
		for i := 1; i < len(rs); i++ {
			if better(rs[i], rs[i-1]) {
				t.Fatalf("%+v stands before %+v", rs[i-1], rs[i])
			}
		}
	})
}

func FuzzVideos(f *testing.F) {
	addBodies(f, "videos.json", "search-videos.json", "account-videos.json")
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip[VideoList](t, b) })
}

func FuzzConfig(f *testing.F) {
	addBodies(f, "config.json")
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip[Config](t, b) })
}

func FuzzActors(f *testing.F) {
	addBodies(f, "account.json", "video-channel.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip[Account](t, b)
		roundTrip[Channel](t, b)
	})
}

func FuzzProblem(f *testing.F) {
	addBodies(f, "video-404.json", "video-bad-id.json", "users-me-401.json")
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip[Problem](t, b) })
}
