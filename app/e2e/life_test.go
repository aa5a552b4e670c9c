// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
)

// TestAnInstanceSurvivesKill kills an instance and starts it again.
func TestAnInstanceSurvivesKill(t *testing.T) {
	h := newHome(t)
	a := filepath.Join(h.dir, "a")
	s := serve(t, h, a)
	v := s.publish(t, small(t), "Still here")
	s.kill()
	again := serve(t, h, a)
	if again.url != s.url {
		t.Errorf("the address is %s, it was %s", again.url, s.url)
	}
	if n := again.total(t); n != 1 {
		t.Fatalf("%d videos are listed", n)
	}
	sum := sumOf(t, small(t))
	if got := get(t, v.FileURLs[0], http.StatusOK); hexSum(got) != sum {
		t.Errorf("the file served is not the one published: %d bytes", len(got))
	}
	r := call(t, h, "watch", v.WatchPage, "--sources", "webrtc", "--json", "--timeout", "90s", "--data", filepath.Join(h.dir, "b"))
	if r.code != 0 {
		t.Fatalf("watching afterwards: exit code %d, stderr %q", r.code, r.stderr)
	}
	checkDone(t, r, "webrtc", v, sum)
	if code := again.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

// TestAViewerSurvivesKill kills a viewer in the middle; what it had is not fetched again.
func TestAViewerSurvivesKill(t *testing.T) {
	h := newHome(t)
	a, b := filepath.Join(h.dir, "a"), filepath.Join(h.dir, "b")
	settings(t, a, "[network]\nuploadLimit = 500000\n")
	s := serve(t, h, a)
	v := s.publish(t, small(t), "Cut in the middle")
	p := start(t, h, "watch", v.WatchPage, "--sources", "webrtc", "--json", "--data", b)
	var had int64
	within(t, longWait, "a third of the video is here", func() bool {
		for _, e := range p.events() {
			if e.name() == "progress" {
				var got struct{ Completed int64 }
				e.into(t, &got)
				had = got.Completed
			}
		}
		return had > v.Bytes/3
	})
	p.kill()
	if had >= v.Bytes {
		t.Fatal("all of it was here already: nothing is left to test")
	}
	if list := swarms(t, h, b); len(list) != 1 || list[0].Infohash != v.Infohash {
		t.Errorf("the killed folder holds %+v", list)
	}
	r := call(t, h, "watch", v.WatchPage, "--sources", "webseed", "--json", "--timeout", "90s", "--data", b)
	if r.code != 0 {
		t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
	}
	var d done
	r.last(t, "done").into(t, &d)
	if !d.Complete || d.SHA256 != sumOf(t, small(t)) {
		t.Errorf("complete %v, sha256 %s", d.Complete, d.SHA256)
	}
	if got := d.BySource.sum(); got == 0 || got > v.Bytes-had {
		t.Errorf("%d bytes were fetched where %d of %d were here", got, had, v.Bytes)
	}
}

// TestSeed co-seeds a video, is asked for its status, and is stopped and started.
func TestSeed(t *testing.T) {
	h := newHome(t)
	b := filepath.Join(h.dir, "b")
	s := serve(t, h, filepath.Join(h.dir, "a"))
	v := s.publish(t, small(t), "Co-seeded")
	p := start(t, h, "seed", v.WatchPage, "--json", "--data", b)
	p.event("ready", shortWait)
	within(t, longWait, "the seed has all of it", func() bool {
		list := swarms(t, h, b)
		return len(list) == 1 && list[0].Infohash == v.Infohash && list[0].Complete
	})
	held := swarms(t, h, b)[0]
	if got := held.Downloaded.sum(); got != v.Bytes || held.Completed != v.Bytes || held.Bytes != v.Bytes {
		t.Errorf("the seed says %+v of %d bytes", held, v.Bytes)
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, p.err)
	}
	list := swarms(t, h, b)
	if len(list) != 1 || !list[0].Complete || list[0].Downloaded != held.Downloaded {
		t.Errorf("at rest the folder holds %+v", list)
	}
	// Nothing is fetched again, and nothing else is on the disk than the published file.
	again := start(t, h, "seed", v.Magnet, "--json", "--data", b)
	again.event("ready", shortWait)
	if list := swarms(t, h, b); len(list) != 1 || !list[0].Complete || list[0].Downloaded != held.Downloaded {
		t.Errorf("after a restart the folder holds %+v", list)
	}
	if code := again.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, again.err)
	}
}
