// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const (
	testUUID  = "4e1f2f28-1822-4544-bf7c-52e111041379"
	testShort = "aDvThmEcPv8UoHvsqeyoXt"
)

func TestParseURL(t *testing.T) {
	video := Location{Instance: "https://video.example", VideoID: testUUID}
	at := func(d time.Duration) Location { l := video; l.Start = d; return l }
	instance := func(s string) Location { return Location{Instance: s} }
	for in, want := range map[string]Location{
		"video.example":                        instance("https://video.example"),
		"  video.example/ \n":                  instance("https://video.example"),
		"//video.example":                      instance("https://video.example"),
		"https://Video.EXAMPLE.":               instance("https://video.example"),
		"HTTPS://video.example:443//":          instance("https://video.example"),
		"http://video.example:80":              instance("http://video.example"),
		"http://video.example:443":             instance("http://video.example:443"),
		"video.example:9000":                   instance("https://video.example:9000"),
		"localhost:9000":                       instance("https://localhost:9000"),
		"http://127.0.0.1:9001":                instance("http://127.0.0.1:9001"),
		"http://nas:9000":                      instance("http://nas:9000"),
		"[::1]:9000":                           instance("https://[::1]:9000"),
		"http://[2001:DB8::0:1]/":              instance("http://[2001:db8::1]"),
		"http://[::ffff:127.0.0.1]":            instance("http://127.0.0.1"),
		"https://vidéo.example":                instance("https://xn--vido-dpa.example"),
		"https://VIDÉO.example":                instance("https://xn--vido-dpa.example"),
		"https://xn--vido-dpa.example":         instance("https://xn--vido-dpa.example"),
		"https://video.example/videos/local":   instance("https://video.example"),
		"https://video.example/about/instance": instance("https://video.example"),
		"https://video.example/api/v1/config":  instance("https://video.example"),

		"https://video.example/w/" + testShort:                                        video,
		"video.example/w/" + testShort + "/":                                          video,
		"https://video.example/w/" + testUUID + ";threadId=8?x=y#z":                   video,
		"https://video.example/videos/watch/" + testUUID:                              video,
		"https://video.example/videos/watch/" + strings.ToUpper(testUUID):             video,
		"https://video.example/videos/watch/" + testShort:                             video,
		"https://video.example/videos/embed/" + testShort + "?autoplay=1":             video,
		"https://video.example/api/v1/videos/" + testUUID:                             video,
		"https://video.example/api/v1/videos/42":                                      {Instance: "https://video.example", VideoID: "42"},
		"video.example/w/" + testShort + "?redirect=https://a.b/":                     video,
		"https://video.example/w/" + testShort + "?start=1m30s":                       at(90 * time.Second),
		"https://video.example/w/" + testShort + "?start=90":                          at(90 * time.Second),
		"https://video.example/w/" + testShort + "?start=1h2m3s":                      at(3723 * time.Second),
		"https://video.example/w/" + testShort + "?start=1:02:03":                     at(3723 * time.Second),
		"https://video.example/w/" + testShort + "?start=12.7s":                       at(12 * time.Second),
		"https://video.example/w/" + testShort + "?start=-5s":                         video,
		"https://video.example/w/" + testShort + "?start=soon":                        video,
		"https://video.example/w/" + testShort + "?start=99999999999999999999":        video,
		"https://video.example/c/alice_channel/videos":                                {Instance: "https://video.example", Channel: "alice_channel"},
		"https://video.example/c/bob_channel@other.example:8080/video-playlists?a=b":  {Instance: "https://video.example", Channel: "bob_channel@other.example:8080"},
		"https://video.example/video-channels/alice_channel":                          {Instance: "https://video.example", Channel: "alice_channel"},
		"https://video.example/api/v1/video-channels/alice_channel/videos":            {Instance: "https://video.example", Channel: "alice_channel"},
		"https://video.example/a/alice/video-channels":                                {Instance: "https://video.example", Account: "alice"},
		"https://video.example/accounts/alice":                                        {Instance: "https://video.example", Account: "alice"},
		"https://video.example/accounts/alice?start=5":                                {Instance: "https://video.example", Account: "alice"},
		"http://127.0.0.1:9001/videos/watch/d843c7a0-5fb9-4f2f-8bcc-a7c64687a44a?a=b": {Instance: "http://127.0.0.1:9001", VideoID: "d843c7a0-5fb9-4f2f-8bcc-a7c64687a44a"},
	} {
		got, err := ParseURL(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got != want {
			t.Errorf("%q is %+v, want %+v", in, got, want)
		}
		if again, err := ParseURL(got.String()); err != nil || again != got {
			t.Errorf("%q formats as %q, which is %+v, %v", in, got, again, err)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "Type the address",
		" ":                                   "Type the address",
		"a b":                                 "not an address",
		"cats":                                "names no server",
		"cats/w/" + testShort:                 "names no server",
		"video..example":                      "names no server",
		"-video.example":                      "names no server",
		"under_score.example":                 "names no server",
		"127.1":                               "names no server",
		"http://2130706433/":                  "names no server",
		"http://0x7f.0x1/":                    "names no server",
		"https://":                            "names no server",
		"https://[fe80::1%25eth0]/":           "IP address",
		"https://video.example:/":             "port",
		"video.example:0":                     "port",
		"video.example:99999":                 "port",
		"https://alice:secret@video.example/": "user name",
		"alice@video.example":                 "user name",
		"magnet:?xt=urn:btih:e99a81786e8c6513a4e3fdd3d947f86a871ade06": "magnet: addresses",
		"ftp://video.example/":                                    "ftp: addresses",
		"javascript:alert(1)":                                     "javascript: addresses",
		"file:///etc/passwd":                                      "file: addresses",
		"https://video.example/w/p/" + testShort:                  "playlist",
		"https://video.example/videos/watch/playlist/" + testUUID: "playlist",
		"https://video.example/w/short":                           "not a video's address",
		"https://video.example/videos/watch/":                     "no address of",
		"https://video.example/w/" + testShort + "/x":             "no address of",
		"https://video.example/w//" + testShort:                   "empty part",
		"https://video.example/c/..":                              "channel",
		"https://video.example/c/a%2Fb%20c":                       "channel",
		"https://video.example/accounts/a%00":                     "account",
		"https://video.example/watch?v=abc":                       "no address of",
		"video.example/" + strings.Repeat("a", 3000):              "too long",
	} {
		got, err := ParseURL(in)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeBadURL || !strings.Contains(e.Text, want) {
			t.Errorf("%q: %+v, %v; want %q", in, got, err, want)
		}
	}
}
