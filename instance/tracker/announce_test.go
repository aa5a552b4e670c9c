// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
)

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, res.Status, err)
	}
	return string(b)
}

func httpAnnounce(h string, peer int, more string) string {
	return "info_hash=" + url.QueryEscape(strings.Repeat(h, 20)) + "&peer_id=" + url.QueryEscape(id(peer)) +
		"&port=" + fmt.Sprint(1000+peer) + "&uploaded=0&downloaded=0&" + more
}

// TestCapturedHTTP compares answers with a PeerTube server's, except where that server is wrong:
// it lists the asking peer itself, and its scrape encodes the infohash as UTF-8.
func TestCapturedHTTP(t *testing.T) {
	raw, err := os.ReadFile("testdata/session.json")
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Log [][]json.RawMessage }
	if err := json.Unmarshal(raw, &session); err != nil {
		t.Fatal(err)
	}
	_, base := serve(t, Config{})
	replies := 0
	for _, e := range session.Log {
		var kind, path, wantHex string
		if json.Unmarshal(e[0], &kind) != nil || kind != "http" {
			continue
		}
		_ = json.Unmarshal(e[1], &path)
		_ = json.Unmarshal(e[5], &wantHex)
		b, _ := hex.DecodeString(wantHex)
		want := string(b)
		want = strings.Replace(want, "5:peers6:\x7f\x00\x00\x01\xc8\xd56:", "5:peers0:6:", 1)
		want = strings.Replace(want, "5:peers12:\x7f\x00\x00\x01\xc8\xd5\x7f\x00\x00\x01\xc8\xd66:", "5:peers6:\x7f\x00\x00\x01\xc8\xd56:", 1)
		want = strings.Replace(want, "d2:ip9:127.0.0.17:peer id20:-TR3000-abcdefghijkl4:porti51413ee", "", 1)
		got := get(t, base+path)
		replies++
		if strings.HasPrefix(path, "/tracker/scrape") {
			if strings.Contains(path, "%aa%aa") {
				want = "d5:filesde5:flagsd20:min_request_intervali600eee"
			} else {
				h, _ := url.ParseQuery(path[strings.Index(path, "?")+1:])
				want = "d5:filesd20:" + h.Get("info_hash") + "d8:completei1e10:downloadedi1e10:incompletei1eee5:flagsd20:min_request_intervali600eee"
			}
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", path, got, want)
		}
	}
	if replies != 13 {
		t.Errorf("compared %d replies", replies)
	}
}

func TestAnnounceIPv6(t *testing.T) {
	addrs := []string{"2001:db8::1", "192.0.2.1", "::ffff:192.0.2.2"}
	i := -1
	_, base := serve(t, Config{ClientIP: func(*http.Request) netip.Addr {
		i++
		return netip.MustParseAddr(addrs[i%len(addrs)])
	}})
	get(t, base+"/tracker/announce?"+httpAnnounce("k", 0, "compact=1"))
	get(t, base+"/tracker/announce?"+httpAnnounce("k", 1, "compact=1"))
	got := get(t, base+"/tracker/announce?"+httpAnnounce("k", 2, "compact=1"))
	want := "d8:completei0e10:incompletei3e8:intervali600e5:peers6:\xc0\x00\x02\x01\x03\xe96:peers618:" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\xe8e"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestHTTPAndSocketOfOnePeerCountOnce(t *testing.T) {
	tr, base := serve(t, Config{})
	c := dial(t, base)
	c.send(announce(hash("k"), id(1), object{"left": 0}))
	c.receive()
	get(t, base+"/tracker/announce?"+httpAnnounce("k", 1, "left=0&compact=1"))
	h := Hash([]byte(strings.Repeat("k", 20)))
	if got := tr.Stats(h); got != (Stats{Seeders: 1, Downloads: 1}) {
		t.Errorf("got %+v", got)
	}
	// Each protocol's clients hear of it.
	if got := get(t, base+"/tracker/announce?"+httpAnnounce("k", 2, "compact=1")); !strings.Contains(got, "5:peers6:") {
		t.Errorf("got %q", got)
	}
	get(t, base+"/tracker/announce?"+httpAnnounce("k", 1, "event=stopped"))
	if got := tr.Stats(h); got.Seeders != 1 {
		t.Errorf("stopping over HTTP took the socket along: %+v", got)
	}
}

func TestHTTPBoundPerAddress(t *testing.T) {
	_, base := serve(t, Config{MaxHTTPPerIP: 3})
	for i := range 4 {
		got := get(t, base+"/tracker/announce?"+httpAnnounce("k", i, ""))
		if strings.Contains(got, "failure") != (i == 3) {
			t.Errorf("%d: %q", i, got)
		}
	}
	get(t, base+"/tracker/announce?"+httpAnnounce("k", 0, "event=stopped"))
	if got := get(t, base+"/tracker/announce?"+httpAnnounce("k", 3, "")); strings.Contains(got, "failure") {
		t.Errorf("after one left: %q", got)
	}
}
