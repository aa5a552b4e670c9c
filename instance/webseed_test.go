// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"shoal/instance/publish"
	"shoal/instance/store"
)

// watched counts the bytes of files that connections are asked to send from the file itself, which is
// when Go uses sendfile(2).
type watched struct {
	net.Listener
	sent atomic.Int64
}

func (w *watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{c.(*net.TCPConn), w}, nil
}

type watchedConn struct {
	*net.TCPConn
	w *watched
}

func (c *watchedConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.TCPConn.ReadFrom(r)
	if lr, ok := r.(*io.LimitedReader); ok {
		if _, ok := lr.R.(syscall.Conn); ok { // an *os.File
			c.w.sent.Add(n)
		}
	}
	return n, err
}

// A handler in between that wraps the ResponseWriter, or the file, would cost a copy of every byte.
func TestFilesGoOutBySendfile(t *testing.T) {
	var w watched
	r := startOn(t, Config{Dir: t.TempDir()}, nil, func(l net.Listener) net.Listener {
		w.Listener = l
		return &w
	})
	v := r.add("video", store.Public)
	const size = 3<<20 + 1
	sent := func(path string, length int64, headers ...string) {
		t.Helper()
		before := w.sent.Load()
		res, body := r.request(http.MethodGet, path, headers...)
		if res.StatusCode >= 300 || int64(len(body)) != length {
			t.Fatalf("%s: %s, %d bytes", path, res.Status, len(body))
		}
		// The first 512 bytes go out with the header.
		eventually(t, path+" is sent from its file", func() bool { return w.sent.Load()-before == length-512 })
	}
	var paths []string
	for path, file := range map[string]string{
		"/static/web-videos/" + v.Files[0].Name:            filepath.Join(publish.MediaDir, v.Files[0].Name),
		"/lazy-static/torrents/" + v.Files[0].Torrent.File: filepath.Join(publish.TorrentDir, v.Files[0].Torrent.File),
		"/lazy-static/thumbnails/" + v.Thumbnail:           filepath.Join(publish.ThumbnailDir, v.Thumbnail),
		"/lazy-static/previews/" + v.Preview:               filepath.Join(publish.PreviewDir, v.Preview),
		"/download/torrents/" + v.Files[0].Torrent.File:    filepath.Join(publish.TorrentDir, v.Files[0].Torrent.File),
	} {
		if err := os.Truncate(filepath.Join(r.cfg.Dir, file), size); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	r.republish(v, filepath.Join(r.cfg.Dir, publish.MediaDir, v.Files[0].Name))
	for _, limit := range []int64{0, 1 << 30} {
		r.SetUploadLimits(limit, limit)
		for _, path := range paths {
			sent(path, size)
			sent(path, 1<<20, "Range", "bytes=5-1048580")
		}
	}
}

// republish takes a video's file for the published one as it is now.
func (r *running) republish(v *store.Video, path string) {
	r.t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.store.Update(v.ID, func(v *store.Video) error {
		v.Files[0].Size, v.Files[0].ModTime = fi.Size(), fi.ModTime()
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// A published file that was edited is not sent, until it is the published one again.
func TestEditedFilesAreNotServed(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("video", store.Public)
	name := v.Files[0].Name
	path := filepath.Join(r.cfg.Dir, publish.MediaDir, name)
	edited := v.Files[0].ModTime.Add(time.Second)
	for _, at := range []time.Time{edited, v.Files[0].ModTime} {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		want := http.StatusOK
		if at.Equal(edited) {
			want = http.StatusServiceUnavailable
		}
		if res, body := r.request(http.MethodGet, "/static/web-videos/"+name); res.StatusCode != want {
			t.Errorf("changed at %s: %s %q", at, res.Status, body)
		}
	}
}

// Players in pages of other origins ask for ranges, which takes a preflight (Fetch standard §4.8).
func TestPagesOfOthersMayAskForRanges(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("video", store.Public)
	for _, path := range []string{
		"/static/web-videos/" + v.Files[0].Name, "/lazy-static/torrents/" + v.Files[0].Torrent.File, "/lazy-static/thumbnails/" + v.Thumbnail,
		"/download/torrents/" + v.Files[0].Torrent.File,
	} {
		res, _ := r.request(http.MethodOptions, path, "Origin", "https://page.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range")
		if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Max-Age") == "" ||
			!strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "Range") || !strings.Contains(res.Header.Get("Access-Control-Allow-Methods"), "GET") {
			t.Errorf("%s: preflight %s %v", path, res.Status, res.Header)
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res, body := r.request(method, path, "Origin", "https://page.example", "Range", "bytes=0-3")
			exposed := res.Header.Get("Access-Control-Expose-Headers")
			if res.StatusCode != http.StatusPartialContent || (method == http.MethodGet) != (len(body) == 4) || res.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %s: %s, %q", method, path, res.Status, body)
			}
			for _, name := range []string{"Content-Range", "Content-Length", "Accept-Ranges", "Etag"} {
				if !strings.Contains(exposed, name) || res.Header.Get(name) == "" {
					t.Errorf("%s %s: %s is %q, exposed %q", method, path, name, res.Header.Get(name), exposed)
				}
			}
		}
	}
}
