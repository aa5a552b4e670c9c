// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package testpeer

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// Browser is a Chromium with a page of one webtorrent version and a profile of its own.
type Browser struct {
	t       testing.TB
	ctx     context.Context //nolint:containedctx // chromedp keeps the browser in it
	server  *httptest.Server
	version string

	mu    sync.Mutex
	files map[string][]byte // served under /files/
}

// Chromium starts a browser with a page of webtorrent of a major version, "3" or "1". It ends with
// the test.
func Chromium(t testing.TB, version string) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("chromium is missing: install it")
	}
	b := &Browser{t: t, version: version, files: make(map[string][]byte)}
	b.serve()

	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(timeout),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-features", "WebRtcHideLocalIpsWithMdns"),
		chromedp.Flag("allow-loopback-in-peer-connection", true),
	)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	b.ctx = ctx
	t.Cleanup(func() {
		ending, done := context.WithTimeout(ctx, 10*time.Second)
		_ = chromedp.Cancel(ending)
		done()
		cancel()
		stop()
	})
	// Loopback candidates show only to pages that may use the camera and the microphone.
	grant := func(name string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
				Permission: &browser.PermissionDescriptor{Name: name},
				Setting:    browser.PermissionSettingGranted,
				Origin:     b.server.URL,
			})
			return err
		})
	}
	err := chromedp.Do(ctx,
		grant("camera"),
		grant("microphone"),
		chromedp.Navigate(b.server.URL+"/?version="+version),
		chromedp.Poll[chromedp.Void]("window.peer !== undefined", chromedp.WithPollingTimeout(timeout)),
	)
	if err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	return b
}

// PID is the browser's main process, the parent of its others.
func (b *Browser) PID() int { return chromedp.FromContext(b.ctx).Browser.Process().Pid }

func (b *Browser) serve() {
	modules, dir := Modules(b.t), Dir(b.t)
	mux := http.NewServeMux()
	for at, file := range map[string]string{
		"GET /{$}":            filepath.Join(dir, "page.html"),
		"GET /webtorrent3.js": filepath.Join(modules, "webtorrent", "dist", "webtorrent.min.js"),
		"GET /webtorrent1.js": filepath.Join(modules, "webtorrent1", "webtorrent.min.js"),
	} {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	mux.HandleFunc("GET /files/{name}", func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		data, ok := b.files[r.PathValue("name")]
		b.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	})
	b.server = httptest.NewServer(mux)
	b.t.Cleanup(b.server.Close)
}

// file serves bytes to the page.
func (b *Browser) file(name string, data []byte) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files[name] = data
	return "/files/" + url.PathEscape(name)
}

// call awaits an expression of the page, in which each %s is an argument as JSON.
func call[T any](b *Browser, format string, args ...any) (value T, err error) {
	encoded := make([]any, len(args))
	for i, a := range args {
		data, err := json.Marshal(a)
		if err != nil {
			return value, err
		}
		encoded[i] = string(data)
	}
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf(format, encoded...), chromedp.EvalAwaitPromise))
}

// Seed seeds a file and returns the torrent that the page made of it.
func (b *Browser) Seed(name string, data []byte, tracker string) (torrent []byte) {
	b.t.Helper()
	got, err := call[struct{ Torrent string }](b, "peer.seed(%s, %s, %s)", b.file(name, data), name, []string{tracker})
	if err != nil {
		b.t.Fatalf("seeding in chromium: %v", err)
	}
	torrent, err = base64.StdEncoding.DecodeString(got.Torrent)
	if err != nil {
		b.t.Fatal(err)
	}
	return torrent
}

// Download begins to download a torrent.
func (b *Browser) Download(torrent []byte, infohash [20]byte, tracker string) *Download {
	b.t.Helper()
	d := &Download{b: b, infohash: hex.EncodeToString(infohash[:]), done: make(chan struct{})}
	at := b.file(hex.EncodeToString(infohash[:])+".torrent", torrent)
	go func() {
		defer close(d.done)
		d.result, d.err = call[result](b, "peer.download(%s, %s)", at, []string{tracker})
	}()
	return d
}

// Download is a download in a Browser.
type Download struct {
	b        *Browser
	infohash string
	done     chan struct{}
	err      error
	result   result
}

type result struct{ Milliseconds float64 }

// Wait waits until the download is complete and returns the time since its first byte.
func (d *Download) Wait(t testing.TB) time.Duration {
	t.Helper()
	<-d.done
	if d.err != nil {
		t.Fatalf("downloading in chromium: %v", d.err)
	}
	return time.Duration(d.result.Milliseconds * float64(time.Millisecond))
}

// Done waits until the download is complete and returns the SHA-256 of its file, in hex.
func (d *Download) Done(t testing.TB) string {
	t.Helper()
	d.Wait(t)
	sum, err := call[string](d.b, "peer.sha256(%s)", d.infohash)
	if err != nil {
		t.Fatalf("reading the file in chromium: %v", err)
	}
	return sum
}

// Watched is what a viewer saw: how long after it began the first MiB and the last byte were there.
type Watched struct{ First, End time.Duration }

// Watch reads a torrent's file in order while it comes, from peers and from the WebSeeds in the
// torrent, with a client of its own.
func (b *Browser) Watch(torrent []byte, size int64, tracker string) Watched {
	b.t.Helper()
	got, err := call[struct {
		Size       int64
		First, End float64 // milliseconds
	}](b, "peer.watch(%s, %s)", b.file("watched.torrent", torrent), []string{tracker})
	if err != nil || got.Size != size {
		b.t.Fatalf("watching in chromium: %d bytes, %v", got.Size, err)
	}
	milliseconds := func(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
	return Watched{First: milliseconds(got.First), End: milliseconds(got.End)}
}

// Received is how many bytes of a torrent's pieces have come in, good or bad; 0 if the page does
// not know the torrent.
func (b *Browser) Received(infohash [20]byte) int64 {
	b.t.Helper()
	type stats struct {
		Errors   []string
		Torrents []struct {
			Infohash             string
			Downloaded, Received int64
		}
	}
	got, err := call[stats](b, "peer.stats()")
	if err != nil {
		b.t.Fatalf("asking chromium: %v", err)
	}
	if len(got.Errors) > 0 {
		b.t.Fatalf("webtorrent in chromium failed: %v", got.Errors)
	}
	for _, torrent := range got.Torrents {
		if torrent.Infohash == hex.EncodeToString(infohash[:]) {
			return max(torrent.Received, torrent.Downloaded)
		}
	}
	return 0
}
