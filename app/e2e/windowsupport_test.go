// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"
)

// TestWindowSupportsAnInstance presses Support beside an instance's name in the window: its video is
// fetched without being watched, and the window and the status say so.
func TestWindowSupportsAnInstance(t *testing.T) {
	h := newHome(t)
	a, b := filepath.Join(h.dir, "a"), filepath.Join(h.dir, "b")
	settings(t, b, "introSeen = true\n")
	s := serve(t, h, a)
	v := s.publish(t, small(t), "Held without being watched")
	d := newDisplay(t, h)
	w := openWindow(t, h, d, b, s.url)
	browse := w.until(shortWait, "the instance's videos are listed", func(s shown) bool { return s.Page == "browse" && s.Cards == 1 })
	w.click(browse.Places["support"])
	form := w.until(shortWait, "the form to support it", func(s shown) bool { return s.Page == "coseeding" && s.Places["supportAdd"][2] > 0 })
	if form.Supports != 0 || form.Swarms != 0 {
		t.Errorf("it is supported before a person said so: %+v", form)
	}
	w.shootFor(t, "support-form")
	w.click(form.Places["supportAdd"])
	w.until(longWait, "the instance is supported, and its video held", func(s shown) bool { return s.Error == "" && s.Supports == 1 && s.Swarms == 1 })
	within(t, longWait, "the video is held whole", func() bool {
		list := swarms(t, h, b)
		return len(list) == 1 && list[0].Complete && list[0].Completed == v.Bytes
	})
	var status struct {
		Supports []struct {
			Kind     string `json:"kind"`
			Complete int    `json:"complete"`
		} `json:"supports"`
	}
	call(t, h, "status", "--json", "--data", b).last(t, "status").into(t, &status)
	if len(status.Supports) != 1 || status.Supports[0].Kind != "instance" || status.Supports[0].Complete != 1 {
		t.Errorf("the status says %+v", status.Supports)
	}
	w.shootFor(t, "support")
	w.key("ctrl+Page_Up")
	w.until(shortWait, "the videos are listed", func(s shown) bool { return s.Page == "coseeding" && s.Places["supportAdd"][2] == 0 })
	w.shootFor(t, "held")
	if code := w.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, stderr %q", code, w.err)
	}
}
