// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/publish"
	"shoal/instance/store"
)

const media = "0123456789abcdefghijklmnopqrstuvwxyz"

// serve runs a handler over a data directory with one video of each privacy, numbered 1 to 3.
func serve(t *testing.T) (dir, base string) {
	t.Helper()
	dir = t.TempDir()
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.EnsureRoot(time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{publish.MediaDir, publish.TorrentDir, publish.ThumbnailDir, publish.PreviewDir} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := db.Snapshot().Channel(store.NameChannel)
	for i, privacy := range []store.Privacy{store.Public, store.Unlisted, store.Private} {
		n := string(rune('1' + i))
		for path, text := range map[string]string{
			"media/f" + n + "-480.mp4": media, "torrents/t" + n + ".torrent": "torrent", "torrents/old" + n + ".torrent": "old torrent",
			"thumbnails/s" + n + ".jpg": "thumbnail", "previews/l" + n + ".jpg": "preview",
		} {
			if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := db.Publish("", store.Video{
			UUID: "4e1f2f28-1822-4544-bf7c-52e11104137" + n, ChannelID: c.ID, Title: "Sämple / video", Privacy: privacy,
			Thumbnail: "s" + n + ".jpg", Preview: "l" + n + ".jpg",
			Files: []store.File{{
				Name: "f" + n + "-480.mp4", Resolution: 480, MediaType: "video/mp4",
				Torrent: store.Torrent{Infohash: store.Hash{byte(i)}, File: "t" + n + ".torrent"},
				Old:     []store.Torrent{{Infohash: store.Hash{byte(i), 1}, File: "old" + n + ".torrent"}},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := chi.NewRouter()
	notFound := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	New(Config{Dir: dir, Snapshot: db.Snapshot, NotFound: notFound}).Routes(r)
	srv := httptest.NewServer(r)
	t.Cleanup(func() {
		srv.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir, srv.URL
}

func ask(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestRanges(t *testing.T) {
	_, base := serve(t)
	url := base + "/static/web-videos/f1-480.mp4"
	for _, c := range []struct {
		rang   string
		status int
		want   string
		part   string // Content-Range
	}{
		{"", 200, media, ""},
		{"bytes=0-9", 206, media[:10], "bytes 0-9/36"},
		{"bytes=30-", 206, media[30:], "bytes 30-35/36"},
		{"bytes=-4", 206, media[32:], "bytes 32-35/36"},
		{"bytes=35-99", 206, media[35:], "bytes 35-35/36"},
		{"bytes=36-40", 416, "", "bytes */36"},
		{"bytes=x", 416, "", ""},
		{"items=0-1", 416, "", ""},
	} {
		res, body := ask(t, http.MethodGet, url, "Range", c.rang)
		if res.StatusCode != c.status || res.Header.Get("Content-Range") != c.part || (c.want != "" && body != c.want) {
			t.Errorf("%q: %s, %q, %q", c.rang, res.Status, res.Header.Get("Content-Range"), body)
		}
		if c.status != 416 && res.Header.Get("Content-Type") != "video/mp4" {
			t.Errorf("%q: type %s", c.rang, res.Header.Get("Content-Type"))
		}
	}
}

func TestSeveralRanges(t *testing.T) {
	_, base := serve(t)
	res, body := ask(t, http.MethodGet, base+"/static/web-videos/f1-480.mp4", "Range", "bytes=0-1,10-12")
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || res.StatusCode != http.StatusPartialContent || kind != "multipart/byteranges" {
		t.Fatalf("%s, %v", res.Status, res.Header)
	}
	m := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for _, want := range []string{"bytes 0-1/36 01", "bytes 10-12/36 abc"} {
		p, err := m.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if got := p.Header.Get("Content-Range") + " " + string(b); err != nil || got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestConditions(t *testing.T) {
	_, base := serve(t)
	url := base + "/static/web-videos/f1-480.mp4"
	head, body := ask(t, http.MethodHead, url)
	etag, modified := head.Header.Get("Etag"), head.Header.Get("Last-Modified")
	if head.StatusCode != http.StatusOK || body != "" || head.ContentLength != 36 || head.Header.Get("Accept-Ranges") != "bytes" ||
		!strings.HasPrefix(etag, `"`) || modified == "" {
		t.Fatalf("HEAD: %s %v", head.Status, head.Header)
	}
	for _, c := range []struct {
		name, value string
		status      int
	}{
		{"If-None-Match", etag, 304},
		{"If-None-Match", `"other"`, 206},
		{"If-Modified-Since", modified, 304},
		{"If-Range", etag, 206},
		{"If-Range", modified, 206},
		{"If-Range", `"other"`, 200},
		{"If-Match", `"other"`, 412},
	} {
		res, body := ask(t, http.MethodGet, url, "Range", "bytes=0-3", c.name, c.value)
		want := map[int]string{200: media, 206: media[:4]}[c.status]
		if res.StatusCode != c.status || body != want {
			t.Errorf("%s %s: %s %q", c.name, c.value, res.Status, body)
		}
	}
}

func TestTorrentsAndPictures(t *testing.T) {
	_, base := serve(t)
	for path, want := range map[string]string{
		"/lazy-static/torrents/t1.torrent":   "application/x-bittorrent torrent",
		"/lazy-static/torrents/old1.torrent": "application/x-bittorrent old torrent",
		"/lazy-static/torrents/t2.torrent":   "application/x-bittorrent torrent",
		"/lazy-static/thumbnails/s1.jpg":     "image/jpeg thumbnail",
		"/lazy-static/previews/l1.jpg":       "image/jpeg preview",
	} {
		res, body := ask(t, http.MethodGet, base+path)
		if got := res.Header.Get("Content-Type") + " " + body; res.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %s %q, want %q", path, res.Status, got, want)
		}
	}
}

func TestDownloadsHaveNames(t *testing.T) {
	_, base := serve(t)
	for path, want := range map[string]string{
		"/download/web-videos/4e1f2f28-1822-4544-bf7c-52e111041371-480.mp4": "Sämple - video 480p.mp4",
		"/download/torrents/t1.torrent":                                     "Sämple - video 480p.torrent",
	} {
		res, _ := ask(t, http.MethodGet, base+path)
		kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition"))
		if err != nil || res.StatusCode != http.StatusOK || kind != "attachment" || params["filename"] != want {
			t.Errorf("%s: %s %v", path, res.Status, res.Header)
		}
	}
}

func TestWhatIsNotServed(t *testing.T) {
	dir, base := serve(t)
	if err := os.WriteFile(filepath.Join(dir, "media", "stray.mp4"), []byte("stray"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "media", "f2-480.mp4")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/static/web-videos/f3-480.mp4", "/lazy-static/torrents/t3.torrent", "/lazy-static/torrents/old3.torrent", // private
		"/lazy-static/thumbnails/s3.jpg", "/lazy-static/previews/l3.jpg",
		"/download/web-videos/4e1f2f28-1822-4544-bf7c-52e111041373-480.mp4", "/download/torrents/t3.torrent",
		"/static/web-videos/f2-480.mp4", // missing on disk
		"/static/web-videos/stray.mp4", "/static/web-videos/", "/static/web-videos/..%2finstance.db", "/static/web-videos/%2e%2e/instance.db",
		"/static/web-videos/../instance.db", "/lazy-static/thumbnails/l1.jpg", "/lazy-static/previews/s1.jpg", "/lazy-static/torrents/f1-480.mp4",
		"/download/web-videos/4e1f2f28-1822-4544-bf7c-52e111041371-240.mp4", "/download/web-videos/x",
	} {
		if res, body := ask(t, http.MethodGet, base+path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s %q", path, res.Status, body)
		}
	}
}
