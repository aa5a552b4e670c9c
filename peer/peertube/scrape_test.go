// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSeeders(t *testing.T) {
	a, b := strings.Repeat("a1", 20), strings.Repeat("b2", 20)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/tracker/scrape" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		hashes := r.URL.Query()["info_hash"]
		asked += len(hashes)
		var body strings.Builder
		body.WriteString("d5:filesd")
		for _, h := range hashes {
			if hex.EncodeToString([]byte(h)) == a {
				body.WriteString("20:" + h + "d8:completei7e10:downloadedi0e10:incompletei1ee")
			}
		}
		body.WriteString("ee")
		_, _ = w.Write([]byte(body.String()))
	}))
	t.Cleanup(server.Close)
	c := New(Options{})
	got, err := c.Seeders(t.Context(), server.URL, server.URL+"/tracker/announce", []string{a, b, "no infohash"})
	if err != nil || len(got) != 1 || got[a] != 7 || asked != 2 {
		t.Errorf("got %v, %v after asking for %d", got, err, asked)
	}
	for _, announce := range []string{"ws://x.example/tracker/socket", server.URL + "/tracker/other", server.URL, "http://x.example/announce?key=1", "\x00"} {
		if got, err := c.Seeders(t.Context(), server.URL, announce, []string{a}); err == nil {
			t.Errorf("%q: got %v", announce, got)
		}
	}
}

// FuzzParseScrape: whatever a tracker answers, infohashes and counts are ones.
func FuzzParseScrape(f *testing.F) {
	for _, body := range []string{
		"", "de", "d5:filesde", "d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei-3eeee", "d5:filesd3:aaad8:completei3eeee",
		"d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei99999999999999eeee", "d14:failure reason2:noe", "d5:filesi1ee", "l",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		counts, err := parseScrape(body)
		if err != nil && counts != nil {
			t.Fatalf("both an answer and an error: %v, %v", counts, err)
		}
		for infohash, n := range counts {
			if raw, err := hex.DecodeString(infohash); err != nil || len(raw) != 20 || n < 0 || n > 1<<30 {
				t.Fatalf("%q has %d seeders", infohash, n)
			}
		}
	})
}
