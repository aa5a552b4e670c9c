// SPDX-License-Identifier: AGPL-3.0-or-later

package address

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"shoal/instance/store"
)

// TestMagnetIsPeerTubes builds the magnets that a PeerTube server wrote for its web videos.
func TestMagnetIsPeerTubes(t *testing.T) {
	raw, err := os.ReadFile("testdata/magnets.txt")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.Contains(line, "hls") {
			continue
		}
		q, err := url.ParseQuery(strings.TrimPrefix(line, "magnet:?"))
		if err != nil {
			t.Fatal(err)
		}
		var f store.File
		base := Base("http://127.0.0.1:9001")
		f.Torrent.File = strings.TrimPrefix(q.Get("xs"), base.Torrent(""))
		f.Name = strings.TrimPrefix(q.Get("ws"), base.Media(""))
		if err := f.Infohash.UnmarshalText([]byte(strings.TrimPrefix(q.Get("xt"), "urn:btih:"))); err != nil {
			t.Fatal(err)
		}
		if got := base.Magnet("Sample video renamed", &f); got != line {
			t.Errorf("got  %s\nwant %s", got, line)
		}
		compared++
	}
	if compared != 2 {
		t.Errorf("compared %d magnets, want 2", compared)
	}
}

func TestMagnetEscapesTitles(t *testing.T) {
	for _, title := range []string{"a & b = c + d", "Ünïcode ✓ 100%", "it's (fine)! ~*"} {
		got := Base("https://a.example").Magnet(title, &store.File{})
		q, err := url.ParseQuery(strings.TrimPrefix(got, "magnet:?"))
		if err != nil || q.Get("dn") != title {
			t.Errorf("%s: %q, %v", got, q.Get("dn"), err)
		}
	}
}

func TestAddresses(t *testing.T) {
	b := Base("https://a.example")
	for got, want := range map[string]string{
		b.Host():            "a.example",
		b.TrackerSocket():   "wss://a.example/tracker/socket",
		b.TrackerAnnounce(): "https://a.example/tracker/announce",
		b.Actor():           "https://a.example/accounts/peertube",
		b.WatchPage("4e1f2f28-1822-4544-bf7c-52e111041379"): "https://a.example/w/aDvThmEcPv8UoHvsqeyoXt",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
