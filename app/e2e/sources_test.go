// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPublishSaysWhereEverythingIs checks every field of the contract, and what they lead to.
func TestPublishSaysWhereEverythingIs(t *testing.T) {
	h := newHome(t)
	s := serve(t, h, filepath.Join(h.dir, "a"))
	r := call(t, h, "publish", small(t), "--title", "Every field", "--description", "What it is", "--tag", "sea", "--tag", "fish",
		"--privacy", "unlisted", "--json", "--data", s.data)
	if r.code != 0 {
		t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
	}
	stages := make(map[string]bool)
	for _, e := range r.events {
		if e.name() == "progress" {
			k := e.keys(t)
			stage, _ := k["stage"].(string)
			stages[stage] = true
			if k["done"] == nil || k["total"] == nil {
				t.Errorf("progress without figures: %s", e.raw)
			}
		}
	}
	for _, stage := range []string{"probe", "copy", "hash", "publish"} {
		if !stages[stage] {
			t.Errorf("no progress of the stage %s", stage)
		}
	}
	if n := len(r.events); n > 60 {
		t.Errorf("%d lines for a short clip", n)
	}
	e := r.last(t, "published")
	keys := e.keys(t)
	for _, key := range []string{"uuid", "shortUUID", "url", "watchPage", "magnet", "infohash", "torrentUrl", "fileUrls", "bytes"} {
		if v := keys[key]; v == nil || v == "" {
			t.Errorf("%s is missing: %s", key, e.raw)
		}
	}
	var v video
	e.into(t, &v)
	if len(v.Infohash) != 40 || !strings.Contains(strings.ToLower(v.Magnet), "urn:btih:"+v.Infohash) {
		t.Errorf("infohash %q, magnet %q", v.Infohash, v.Magnet)
	}
	if !strings.HasPrefix(v.WatchPage, s.url+"/w/") || !strings.HasPrefix(v.URL, s.url+"/videos/watch/") {
		t.Errorf("watch page %q, url %q", v.WatchPage, v.URL)
	}
	if torrent := get(t, v.TorrentURL, http.StatusOK); !strings.HasPrefix(string(torrent), "d8:announce") {
		t.Errorf("the torrent begins %q", torrent[:20])
	}
	if len(v.FileURLs) == 0 {
		t.Fatal("no file is served")
	}
	if got := get(t, v.FileURLs[0], http.StatusOK); int64(len(got)) != v.Bytes || hexSum(got) != sumOf(t, small(t)) {
		t.Errorf("%s has %d bytes, not the %d published", v.FileURLs[0], len(got), v.Bytes)
	}
	get(t, s.url+"/api/v1/videos/"+v.ShortUUID, http.StatusOK)
	if n := s.total(t); n != 0 {
		t.Errorf("an unlisted video is listed: %d", n)
	}
}

// TestWatchOverOneSource fetches the same video by each way alone.
func TestWatchOverOneSource(t *testing.T) {
	h := newHome(t)
	s := serve(t, h, filepath.Join(h.dir, "a"))
	v := s.publish(t, small(t), "One way at a time")
	sum := sumOf(t, small(t))
	for _, source := range []string{"webrtc", "tcp", "utp", "webseed"} {
		t.Run(source, func(t *testing.T) {
			defer since(t, source, time.Now())
			h := newHome(t)
			out := filepath.Join(h.dir, "out.mp4")
			r := call(t, h, "watch", v.WatchPage, "--headless", "--sources", source, "--json", "--out", out,
				"--timeout", "90s", "--data", filepath.Join(h.dir, "b"))
			if r.code != 0 {
				t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
			}
			if r.events[0].name() != "metadata" {
				t.Errorf("the first event is %s", r.events[0].raw)
			}
			checkDone(t, r, source, v, sum)
			if got := sumOf(t, out); got != sum {
				t.Errorf("--out has %s, not %s", got, sum)
			}
			if r.stderr != "" {
				t.Errorf("stderr %q", r.stderr)
			}
		})
	}
	t.Run("magnet", func(t *testing.T) {
		h := newHome(t)
		r := call(t, h, "watch", v.Magnet, "--sources", "webrtc", "--json", "--timeout", "90s", "--data", filepath.Join(h.dir, "b"))
		if r.code != 0 {
			t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
		}
		checkDone(t, r, "webrtc", v, sum)
	})
	t.Run("to stdout", func(t *testing.T) {
		h := newHome(t)
		r := call(t, h, "watch", v.WatchPage, "--out", "-", "--timeout", "90s", "--data", filepath.Join(h.dir, "b"))
		if r.code != 0 || hexSum([]byte(r.stdout)) != sum {
			t.Errorf("exit code %d, %d bytes on stdout, stderr %q", r.code, len(r.stdout), r.stderr)
		}
	})
}

// checkDone checks that a watch got the whole video by one way.
func checkDone(t *testing.T, r result, source string, v video, sum string) {
	t.Helper()
	e := r.last(t, "done")
	keys := e.keys(t)
	for _, key := range []string{"complete", "infohash", "bytes", "sha256", "bySource", "firstByteMs", "firstMegabyteMs", "stalls", "stalledMs", "wasted"} {
		if keys[key] == nil {
			t.Errorf("%s is missing: %s", key, e.raw)
		}
	}
	var d done
	e.into(t, &d)
	if !d.Complete || d.SHA256 != sum || d.Bytes != v.Bytes || d.Infohash != v.Infohash {
		t.Errorf("got %s, want %d bytes with sha256 %s", e.raw, v.Bytes, sum)
	}
	if d.BySource.of(source) != v.Bytes || d.BySource.sum() != v.Bytes {
		t.Errorf("by source %+v, want %d by %s alone", d.BySource, v.Bytes, source)
	}
}

// TestWatchStopsWhereItIsTold checks --stop-after, and --timeout in the middle of a download.
func TestWatchStopsWhereItIsTold(t *testing.T) {
	h := newHome(t)
	a := filepath.Join(h.dir, "a")
	settings(t, a, "[network]\nuploadLimit = 250000\n")
	s := serve(t, h, a)
	v := s.publish(t, small(t), "Half of it")
	t.Run("stop-after", func(t *testing.T) {
		h := newHome(t)
		out := filepath.Join(h.dir, "out.mp4")
		r := call(t, h, "watch", v.WatchPage, "--sources", "webseed", "--stop-after", "2", "--out", out, "--json", "--timeout", "90s", "--data", filepath.Join(h.dir, "b"))
		var d done
		r.last(t, "done").into(t, &d)
		if d.Complete || d.Bytes == 0 || d.Bytes >= v.Bytes*2/3 {
			t.Errorf("%d of %d bytes, complete %v", d.Bytes, v.Bytes, d.Complete)
		}
		checkFailure(t, r, "incomplete")
		if left, _ := filepath.Glob(filepath.Join(h.dir, "*out.mp4*")); len(left) != 0 {
			t.Errorf("an unfinished file is left: %v", left)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		h := newHome(t)
		r := call(t, h, "watch", v.WatchPage, "--sources", "webrtc", "--timeout", "4s", "--json", "--data", filepath.Join(h.dir, "b"))
		checkFailure(t, r, "timeout")
	})
	t.Run("signal", func(t *testing.T) {
		h := newHome(t)
		p := start(t, h, "watch", v.WatchPage, "--sources", "webrtc", "--json", "--data", filepath.Join(h.dir, "b"))
		p.event("progress", shortWait)
		code := p.terminate()
		checkFailure(t, result{code: code, stdout: p.out.String(), stderr: p.err.String(), events: p.events()}, "stopped")
	})
}

// checkFailure checks that a command failed as the contract says: exit code 1, one line on stderr,
// and one error event with the same words.
func checkFailure(t *testing.T, r result, code string) string {
	t.Helper()
	var failures []problem
	for _, e := range r.events {
		if e.name() == "error" {
			var p problem
			e.into(t, &p)
			failures = append(failures, p)
		}
	}
	if r.code != 1 || strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "shoal: ") {
		t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
	}
	if len(failures) != 1 {
		t.Fatalf("%d error events: %q", len(failures), tail(r.stdout))
	}
	p := failures[0]
	if p.Code != code || p.Message == "" || !strings.Contains(r.stderr, p.Message) {
		t.Errorf("code %q, want %q; message %q; stderr %q", p.Code, code, p.Message, r.stderr)
	}
	t.Logf("says: %s", p.Message)
	return p.Message
}

// TestDemo runs the main job with three peers.
func TestDemo(t *testing.T) {
	h := newHome(t)
	defer since(t, "demo", time.Now())
	r := call(t, h, "demo", "--json")
	if r.code != 0 {
		t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
	}
	var d struct {
		Bytes   int64
		Viewers []struct {
			Name     string
			BySource bySource
			Equal    bool
			Uploaded bySource
			PlayedMs *int64
		}
	}
	e := r.last(t, "demo")
	e.into(t, &d)
	if len(d.Viewers) != 2 {
		t.Fatalf("got %s", e.raw)
	}
	for _, v := range d.Viewers {
		if !v.Equal || v.BySource.WebRTC != v.BySource.sum() || v.BySource.WebRTC != d.Bytes {
			t.Errorf("the %s viewer: %+v of %d bytes", v.Name, v, d.Bytes)
		}
	}
	if up := d.Viewers[0].Uploaded.WebRTC; up < d.Bytes {
		t.Errorf("the first viewer gave %d bytes of %d to the second", up, d.Bytes)
	}
	if p := d.Viewers[0].PlayedMs; p == nil || *p <= 0 {
		t.Errorf("the first viewer did not play while the clip arrived: %s", e.raw)
	}
	if r.stderr != "" {
		t.Errorf("stderr %q", r.stderr)
	}
	left, err := os.ReadDir(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), "shoal") {
			t.Errorf("%s is left behind", entry.Name())
		}
	}
}
