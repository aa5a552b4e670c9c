// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// slowestPiece is how long the slowest reader may take for a piece.
const slowestPiece = whole / slowest * time.Second

const media = "0123456789abcdefghijklmnopqrstuvwxyz"

// serve runs a handler over a few files. Every kind of file knows the names in found.
func serve(t *testing.T) (dir, base string, h *Handler) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte(media), 0o600); err != nil {
		t.Fatal(err)
	}
	found := map[string]File{
		"f.mp4":    {Path: filepath.Join(dir, "f"), MediaType: "video/mp4"},
		"save.mp4": {Path: filepath.Join(dir, "f"), MediaType: "video/mp4", SaveAs: "Sämple \"video\".mp4"},
		"gone.mp4": {Path: filepath.Join(dir, "gone"), MediaType: "video/mp4"},
		"dir.mp4":  {Path: dir, MediaType: "video/mp4"},
	}
	find := func(name string) (File, bool) {
		f, ok := found[name]
		return f, ok
	}
	r := chi.NewRouter()
	notFound := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	h = New(Config{
		ClientIP: func(*http.Request) netip.Addr { return netip.Addr{} },
		Media:    find, Torrent: find, Thumbnail: find, Preview: find, DownloadMedia: find, DownloadTorrent: find, NotFound: notFound,
	})
	h.Routes(r)
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	return dir, srv.URL, h
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
	_, base, _ := serve(t)
	url := base + "/static/web-videos/f.mp4"
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
	_, base, _ := serve(t)
	res, body := ask(t, http.MethodGet, base+"/static/web-videos/f.mp4", "Range", "bytes=0-1,10-12")
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
	_, base, _ := serve(t)
	url := base + "/static/web-videos/f.mp4"
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

func TestDownloadsHaveNames(t *testing.T) {
	_, base, _ := serve(t)
	res, body := ask(t, http.MethodGet, base+"/download/web-videos/save.mp4")
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition"))
	if err != nil || body != media || kind != "attachment" || params["filename"] != "Sämple \"video\".mp4" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
}

func TestWhatIsNotServed(t *testing.T) {
	dir, base, _ := serve(t)
	if err := os.WriteFile(filepath.Join(dir, "stray.mp4"), []byte("stray"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"stray.mp4", "gone.mp4", "dir.mp4", "", "x/f.mp4", "..%2ff", "%2e%2e/f", "../f", "f%00.mp4", strings.Repeat("f", 4000),
	} {
		for _, dir := range []string{"/static/web-videos/", "/lazy-static/torrents/", "/lazy-static/thumbnails/", "/download/torrents/"} {
			if res, body := ask(t, http.MethodGet, base+dir+path); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s%s: %s %q", dir, path, res.Status, body)
			}
		}
	}
}

func TestManyRangesAreRefused(t *testing.T) {
	_, base, _ := serve(t)
	url := base + "/static/web-videos/f.mp4"
	res, body := ask(t, http.MethodGet, url, "Range", "bytes=0-0"+strings.Repeat(",0-0", maxRanges))
	if res.StatusCode != http.StatusRequestedRangeNotSatisfiable || res.Header.Get("Content-Range") != "bytes */36" || len(body) > 200 {
		t.Errorf("%s, %q, %d bytes", res.Status, res.Header.Get("Content-Range"), len(body))
	}
	// Ranges that overlap until they are more than the file are served as the file.
	if res, body = ask(t, http.MethodGet, url, "Range", "bytes=0-,0-,0-"); res.StatusCode != http.StatusOK || body != media {
		t.Errorf("%s, %d bytes", res.Status, len(body))
	}
	if res, _ = ask(t, http.MethodGet, url, "Range", "bytes=0-0"+strings.Repeat(",0-0", maxRanges-1)); res.StatusCode != http.StatusPartialContent {
		t.Errorf("as many as are served: %s", res.Status)
	}
}

func TestLimitedFilesAreWhole(t *testing.T) {
	dir, base, h := serve(t)
	want := strings.Repeat(media, 10_000)
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	h.SetLimits(10_000_000, 5_000_000)
	if _, body := ask(t, http.MethodGet, base+"/static/web-videos/f.mp4"); body != want {
		t.Errorf("%d bytes of %d", len(body), len(want))
	}
	if _, body := ask(t, http.MethodGet, base+"/static/web-videos/f.mp4", "Range", "bytes=5-299999"); body != want[5:300_000] {
		t.Errorf("a range has %d bytes", len(body))
	}
}

func TestTooManyAreToldToWait(t *testing.T) {
	_, base, h := serve(t)
	for range maxOpenPerParty {
		h.shares.enter(netip.Addr{})
	}
	res, _ := ask(t, http.MethodGet, base+"/static/web-videos/f.mp4")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
}

func TestReaderThatStallsIsDropped(t *testing.T) {
	dir, base, h := serve(t)
	h.grace = -slowestPiece + 100*time.Millisecond
	const size = 256 << 20 // more than the sockets' buffers
	if err := os.Truncate(filepath.Join(dir, "f"), size); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/static/web-videos/f.mp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for open := 1; open > 0; time.Sleep(time.Millisecond) {
		h.shares.mu.Lock()
		open = h.shares.open
		h.shares.mu.Unlock()
	}
	if n, err := io.Copy(io.Discard, res.Body); err == nil || n >= size {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A published file that somebody edits is not sent, and an answer that is under way ends.
func TestChangedFilesAreNotSent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	published, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	none := func(string) (File, bool) { return File{}, false }
	notFound := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	r := chi.NewRouter()
	New(Config{
		Media: func(string) (File, bool) {
			return File{Path: path, MediaType: "video/mp4", Intact: func(fi os.FileInfo) bool { return fi.ModTime().Equal(published.ModTime()) }}, true
		},
		ClientIP: func(*http.Request) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) },
		Torrent:  none, Thumbnail: none, Preview: none, DownloadMedia: none, DownloadTorrent: none, NotFound: notFound,
	}).Routes(r)
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	url := srv.URL + "/static/web-videos/f.mp4"

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req) // more than sockets hold: it waits for us to read
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	later := published.ModTime().Add(time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); err == nil || n >= 64<<20 {
		t.Errorf("all %d bytes came although the file was changed, error %v", n, err)
	}
	if res, body := ask(t, http.MethodGet, url); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "changed") {
		t.Errorf("a changed file: %s %q", res.Status, body[:min(len(body), 100)])
	}
	if err := os.Chtimes(path, published.ModTime(), published.ModTime()); err != nil {
		t.Fatal(err)
	}
	if res, _ := ask(t, http.MethodGet, url); res.StatusCode != http.StatusOK {
		t.Errorf("once it is put back: %s", res.Status)
	}
}
