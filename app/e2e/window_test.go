// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A clip that takes a while to arrive.
const (
	longSeconds = 40
	longBitrate = 1_600_000 // bits per second
)

func long(t testing.TB) string { return clip(t, "1280x720", longSeconds, longBitrate) }

// slowly limits an instance's upload to 1.5 times a clip's bitrate.
func slowly(t testing.TB, file string, seconds int) string {
	return fmt.Sprintf("uploadLimit = %d\n", sizeOf(t, file)*3/2/int64(seconds))
}

// TestWindowPlaysWhileItArrives is the main job with a window: an instance gives a video slowly, the
// window shows it while it arrives over WebRTC, and goes on seeding it after it was closed.
func TestWindowPlaysWhileItArrives(t *testing.T) {
	h := newHome(t)
	a, b := filepath.Join(h.dir, "a"), filepath.Join(h.dir, "b")
	file := long(t)
	settings(t, a, "[network]\n"+slowly(t, file, longSeconds))
	settings(t, b, "introSeen = true\n[network]\nwebseed = false\ntcp = false\nutp = false\n")
	s := serve(t, h, a)
	v := s.publish(t, file, "A test picture, and a tone")
	d := newDisplay(t, h)
	began := time.Now()
	w := openWindow(t, h, d, b, v.WatchPage)

	first := w.until(longWait, "frames are painted", func(s shown) bool { return s.Painted > 0 && s.Playing })
	since(t, "first frames", began)
	place := first.Places["picture"]
	checkPlaying(t, w, b, v, first)
	before := w.picture()
	if n := colors(before, place); n < 100 {
		t.Errorf("the picture has %d colours", n)
	}
	within(t, shortWait, "the picture changes", func() bool { return differing(before, w.picture(), place) > 0.01 })
	w.until(shortWait, "it plays for some seconds", func(s shown) bool { return s.PositionMs > first.PositionMs+3000 })
	if list := swarms(t, h, b); list[0].Complete {
		t.Error("the video was here before it had played for some seconds")
	}
	if path := os.Getenv("SHOAL_SCREENSHOT"); path != "" {
		w.until(longWait, "half of it has played", func(s shown) bool { return s.PositionMs > s.DurationMs*2/5 && s.Playing && !s.Buffering })
		w.shoot(path)
	}
	within(t, longWait, "the swarm is complete", func() bool { return swarms(t, h, b)[0].Complete })
	if got := swarms(t, h, b)[0].Downloaded; got.WebRTC != v.Bytes || got.sum() != v.Bytes {
		t.Errorf("downloaded %+v, want %d over WebRTC alone", got, v.Bytes)
	}
	buffering := 0
	for _, r := range w.reports() {
		if r.Painted > first.Painted && r.Buffering {
			buffering++
		}
	}
	t.Logf("it buffered for about %d s after the first frames", buffering)
	seedsWithoutVideo(t, h, s, w, b, v)
	if code := w.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, w.err)
	}
}

// checkPlaying checks that frames advance while the swarm is not complete.
func checkPlaying(t *testing.T, w *window, data string, v video, first shown) {
	t.Helper()
	w.until(shortWait, "frames and the position advance", func(s shown) bool {
		return s.Painted > first.Painted+10 && s.FramesShown > first.FramesShown+10 && s.PositionMs > first.PositionMs
	})
	list := swarms(t, w.home, data)
	if len(list) != 1 || list[0].Infohash != v.Infohash {
		t.Fatalf("the window holds %+v", list)
	}
	if list[0].Complete || list[0].Completed >= v.Bytes {
		t.Errorf("the video was here before it played: %+v", list[0])
	}
	if list[0].Peers.WebRTC == 0 {
		t.Errorf("no peer over WebRTC: %+v", list[0])
	}
}

// seedsWithoutVideo stops the video in the window and lets a third peer fetch it, from the window
// alone: the instance goes on without WebRTC and only tracks.
func seedsWithoutVideo(t *testing.T, h home, s *server, w *window, data string, v video) {
	t.Helper()
	w.click(w.until(shortWait, "the video can be closed", func(s shown) bool { return s.Places["close"][2] > 0 }).Places["close"])
	w.until(shortWait, "nothing is loaded", func(s shown) bool { return !s.Loaded && s.Title == "" })
	w.key("ctrl+3")
	w.until(shortWait, "the page of what is co-seeded is shown", func(s shown) bool { return s.Page == "coseeding" && s.Swarms == 1 })
	if code := s.terminate(); code != 0 {
		t.Errorf("the instance: SIGTERM: exit code %d", code)
	}
	settings(t, s.data, "[network]\nwebrtc = false\n")
	serve(t, h, s.data)
	given := swarms(t, h, data)[0].Uploaded.WebRTC
	r := call(t, h, "watch", v.WatchPage, "--sources", "webrtc", "--json", "--timeout", "100s", "--data", filepath.Join(h.dir, "c"))
	if r.code != 0 {
		t.Fatalf("the third peer: exit code %d, stderr %q", r.code, r.stderr)
	}
	checkDone(t, r, "webrtc", v, sumOf(t, long(t)))
	within(t, shortWait, "the window says what it gave", func() bool {
		return swarms(t, h, data)[0].Uploaded.WebRTC >= given+v.Bytes
	})
	w.shootFor(t, "coseeding")
}

// TestWindowControls seeks over what has not arrived, pauses, and fills the screen.
func TestWindowControls(t *testing.T) {
	h := newHome(t)
	a, b := filepath.Join(h.dir, "a"), filepath.Join(h.dir, "b")
	file := long(t)
	settings(t, a, "[network]\n"+slowly(t, file, longSeconds))
	settings(t, b, "introSeen = true\n[network]\nwebseed = false\ntcp = false\nutp = false\n")
	s := serve(t, h, a)
	v := s.publish(t, file, "Here and there")
	d := newDisplay(t, h)
	w := openWindow(t, h, d, b, v.WatchPage)
	first := w.until(longWait, "frames are painted", func(s shown) bool { return s.Painted > 0 && s.Playing && s.DurationMs > 0 })

	bar := first.Places["seek"]
	bar[0], bar[2] = bar[0]+bar[2]*8/10, 0
	w.click(bar)
	far := first.DurationMs * 75 / 100
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the swarm: %+v", swarms(t, h, b))
		}
	})
	sought := w.until(longWait, "it plays near the end", func(s shown) bool { return s.PositionMs > far && s.Playing && !s.Buffering })
	w.until(shortWait, "frames advance there", func(s shown) bool { return s.PositionMs > sought.PositionMs && s.Painted > sought.Painted+5 })
	if list := swarms(t, h, b); len(list) != 1 || list[0].Completed > v.Bytes*8/10 {
		t.Errorf("the part that was skipped was fetched first: %+v", list)
	}

	w.key("space")
	paused := w.until(shortWait, "it is paused", func(s shown) bool { return !s.Playing })
	if later := w.until(shortWait, "a second later", func(shown) bool { return true }); later.PositionMs != paused.PositionMs {
		t.Errorf("it went on from %d to %d ms while paused", paused.PositionMs, later.PositionMs)
	}
	w.key("0")
	w.until(shortWait, "it is at the beginning", func(s shown) bool { return s.PositionMs < 2000 })
	w.key("space")
	w.until(shortWait, "it plays again", func(s shown) bool { return s.Playing && s.PositionMs > 0 })

	w.key("f")
	full := w.until(shortWait, "the picture fills the screen", func(s shown) bool { return s.FullScreen && s.Places["picture"][2] >= 1200 })
	if colors(w.picture(), full.Places["picture"]) < 100 {
		t.Error("the screen is empty")
	}
	w.shootFor(t, "full")
	w.key("Escape")
	w.until(shortWait, "the window is back", func(s shown) bool { return !s.FullScreen && s.Playing && s.Places["picture"][2] < 1200 })
	if code := w.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, w.err)
	}
}

// TestFirstStart checks that nothing is joined before the word about IP addresses was read.
func TestFirstStart(t *testing.T) {
	h := newHome(t)
	b := filepath.Join(h.dir, "b")
	s := serve(t, h, filepath.Join(h.dir, "a"))
	v := s.publish(t, small(t), "Joined after the word")
	d := newDisplay(t, h)
	w := openWindow(t, h, d, b, v.WatchPage)
	w.until(shortWait, "the word is shown", func(s shown) bool { return s.Intro })
	got := w.until(shortWait, "a second later", func(shown) bool { return true })
	if !got.Intro || got.Loaded || got.Swarms != 0 || got.Title != "" {
		t.Errorf("the window shows %+v", got)
	}
	if list := swarms(t, h, b); len(list) != 0 {
		t.Errorf("the folder holds %+v", list)
	}
	w.shootFor(t, "intro")
	w.key("Tab")
	w.key("space")
	w.until(longWait, "the video plays after the word was read", func(s shown) bool { return !s.Intro && s.Painted > 0 && s.Title == "Joined after the word" })
	if code := w.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, w.err)
	}
	again := openWindow(t, h, d, b)
	if got := again.until(shortWait, "the second start", func(s shown) bool { return s.Swarms == 1 }); got.Intro {
		t.Error("the word is shown a second time")
	}
}

// TestSecondStartHandsOver opens addresses, good and bad, in the window that is there.
func TestSecondStartHandsOver(t *testing.T) {
	h := newHome(t)
	b := filepath.Join(h.dir, "b")
	settings(t, b, "introSeen = true\n")
	s := serve(t, h, filepath.Join(h.dir, "a"))
	v := s.publish(t, small(t), "Handed over")
	d := newDisplay(t, h)
	w := openWindow(t, h, d, b)
	handOver := func(argument string) {
		t.Helper()
		if r := call(t, h, argument, "--data", b); r.code != 0 || r.stdout != "" || r.stderr != "" {
			t.Fatalf("%s: exit code %d, stdout %q, stderr %q", argument, r.code, r.stdout, r.stderr)
		}
	}
	handOver(s.url)
	w.until(shortWait, "the instance's videos are listed", func(s shown) bool { return s.Page == "browse" && s.Cards == 1 })
	w.shootFor(t, "browse")
	handOver(v.WatchPage)
	w.until(longWait, "the video plays", func(s shown) bool { return s.Page == "watch" && s.Title == "Handed over" && s.Painted > 0 })
	handOver(v.Magnet)
	w.until(longWait, "the magnet plays", func(s shown) bool { return s.Page == "watch" && s.Loaded && s.Painted > 0 })
	badAddresses(t, w, handOver)
	handOver(v.WatchPage)
	w.until(longWait, "the video plays again", func(s shown) bool { return s.Error == "" && s.Title == "Handed over" && s.Loaded })
	checkFailure(t, call(t, h, "serve", "--dev", "--listen", "127.0.0.1:0", "--json", "--data", b), "inUse")
	if code := w.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, w.err)
	}
}

// badAddresses checks that the window says one clear sentence about each.
func badAddresses(t *testing.T, w *window, handOver func(string)) {
	t.Helper()
	page := httptest.NewServer(answer(http.StatusOK, "text/html", "<!doctype html><title>Hello</title>"))
	t.Cleanup(page.Close)
	broken := httptest.NewServer(answer(http.StatusInternalServerError, "text/plain", "oops"))
	t.Cleanup(broken.Close)
	text := filepath.Join(w.home.dir, "text.mp4")
	if err := os.WriteFile(text, []byte("this is no video"), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, address := range []string{page.URL, broken.URL + "/w/cBm5m3dCNtT6cGjHcC5Mnz", "magnet:?dn=x", text, "ftp://example.org/x"} {
		handOver(address)
		got := w.until(shortWait, "a word about "+address, func(s shown) bool { return s.Error != "" && !seen[s.Error] })
		seen[got.Error] = true
		t.Logf("%s: %s", address, got.Error)
		if strings.Contains(got.Error, "\n") {
			t.Errorf("%s: more than a line: %q", address, got.Error)
		}
	}
}
