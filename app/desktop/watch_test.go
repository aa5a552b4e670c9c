// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
)

const film = "https://video.example/w/d843c7a0-5fb9-4f2f-8bcc-a7c64687a44a"

func (r *rig) watchFilm() {
	r.t.Helper()
	r.w.watchAddress(film)
	r.until("the film to play", func() bool { return r.w.watch.playing() })
	r.until("its figures", func() bool { return findText(r.w.watch.root, "3 WebRTC · 1 TCP · 1 WebSeed") })
}

func TestWatchPlaysAndShowsFigures(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeWatch)
	r.shoot("watch-idle")
	r.watchFilm()
	r.player.change(func(s *player.State) { s.Position = 95 * time.Second })
	r.until("the time", func() bool { return findText(r.w.watch.root, "1:35 / 12:34") })
	r.until("how much is buffered", func() bool { return findText(r.w.watch.root, "ahead") })
	r.shoot("watch")
	for _, words := range []string{"2.4 MB/s", "123 MB of 410 MB", "41 MB", "16 kB", "4 seeders, 2 leechers"} {
		if !findText(r.w.watch.root, words) {
			t.Errorf("%q is not shown", words)
		}
	}
	r.w.win.Resize(fyne.NewSize(700, 700))
	r.shoot("watch-narrow")
}

func TestAheadOf(t *testing.T) {
	strip := []float32{1, 1, 0.5, 1}
	for at, want := range map[time.Duration]time.Duration{0: 50, 30: 20, 60: 0, 80: 20, 100: 0, 120: 0} {
		if got := aheadOf(strip, at, 100); got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
	if aheadOf(nil, 0, 100) != 0 || aheadOf(strip, 0, 0) != 0 {
		t.Error("without a strip or a length there is nothing ahead")
	}
}

func TestWatchBufferingMarkFollowsTheState(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	stage := r.w.watch.view.theatre.stage
	r.player.change(func(s *player.State) { s.Buffering, s.BufferPercent = true, 40 })
	r.until("the mark", func() bool { return stage.wait.Visible() && stage.percent.Text == "Buffering 40 %" })
	r.shoot("watch-buffering")
	r.player.change(func(s *player.State) { s.Buffering = false })
	r.until("the mark to go", func() bool { return !stage.wait.Visible() })
}

func TestWatchKeys(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	type_ := r.w.win.Canvas().OnTypedKey()
	press := func(k fyne.KeyName) { type_(&fyne.KeyEvent{Name: k}) }
	for _, c := range []struct {
		key  fyne.KeyName
		want string
	}{
		{fyne.KeySpace, "toggle"},
		{fyne.Key5, "seek 6m17s true"},
		{fyne.KeyRight, "seek 6m22s true"},
		{fyne.KeyJ, "seek 6m12s true"},
		{fyne.KeyL, "seek 6m22s true"},
		{fyne.KeyDown, "volume 95"},
		{fyne.KeyUp, "volume 100"},
		{fyne.Key0, "seek 0s true"},
		{fyne.KeyLeft, "seek 0s true"},
	} {
		press(c.key)
		if !r.player.noted(c.want) {
			t.Errorf("%s did not do %q: %v", c.key, c.want, r.player.notes)
		}
	}
	press(fyne.KeyM)
	if !r.player.State().Muted {
		t.Error("M does not mute")
	}
	press(fyne.KeyUp)
	if r.player.State().Muted {
		t.Error("a louder volume stays muted")
	}
	press(fyne.KeyF)
	if !r.w.win.FullScreen() || r.w.win.Content() != r.w.watch.view.theatre.root {
		t.Error("F does not fill the screen")
	}
	press(fyne.KeyEscape)
	if r.w.win.FullScreen() || r.w.win.Content() != r.w.main {
		t.Error("Escape does not leave full screen")
	}
}

func TestKeysAreTheEntrysWhileTyping(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	r.w.win.Canvas().Focus(r.w.bar.entry)
	before := len(r.player.notes)
	r.w.bar.entry.SetText("")
	test.Type(r.w.bar.entry, "jk 5")
	if len(r.player.notes) != before {
		t.Errorf("typing reached the player: %v", r.player.notes[before:])
	}
	r.w.goTo(placeBrowse)
	r.w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeySpace})
	if len(r.player.notes) != before {
		t.Error("a key on another page reached the player")
	}
}

func TestWatchDraggingShowsKeyframesAndEndsExactly(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	seek := r.w.watch.view.theatre.controls.seek
	r.until("the bar to be of use", func() bool { return !seek.disabled })
	now := time.Unix(0, 0)
	seek.now = func() time.Time { now = now.Add(time.Second); return now }
	seek.Resize(fyne.NewSize(slideEdge*2+1000, 30))
	event := func(x float32) fyne.PointEvent { return fyne.PointEvent{Position: fyne.NewPos(x+slideEdge, 10)} }
	seek.MouseDown(&desktop.MouseEvent{PointEvent: event(100), Button: desktop.MouseButtonPrimary})
	seek.Dragged(&fyne.DragEvent{PointEvent: event(500)})
	r.player.change(func(s *player.State) { s.Position = 3 * time.Second })
	r.w.watch.showState(r.player.State())
	if seek.value != 0.5 {
		t.Errorf("the player's position moved a handle that is held to %v", seek.value)
	}
	seek.MouseUp(&desktop.MouseEvent{PointEvent: event(500)})
	seek.DragEnd() // comes too; it must not seek again
	want := []string{"seek 1m15s false", "seek 6m17s false", "seek 6m17s true"}
	var got []string
	for _, n := range r.player.notes {
		if len(n) > 4 && n[:4] == "seek" {
			got = append(got, n)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFullScreenControlsHideWhileNobodyMoves(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	th := r.w.watch.view.theatre
	now := time.Unix(1000, 0)
	th.now = func() time.Time { return now }
	r.w.watch.fullScreen()
	th.tick(true)
	if th.controls.root.Hidden {
		t.Error("hidden at once")
	}
	r.shoot("watch-fullscreen")
	now = now.Add(hideAfter)
	th.tick(true)
	if !th.controls.root.Hidden || th.stage.Cursor() != desktop.HiddenCursor {
		t.Error("the controls stay")
	}
	th.stage.MouseMoved(&desktop.MouseEvent{})
	if th.controls.root.Hidden {
		t.Error("the mouse does not bring them back")
	}
	now = now.Add(time.Hour)
	th.tick(false)
	if th.controls.root.Hidden {
		t.Error("hidden while paused")
	}
	r.w.watch.leaveFullScreen()
	th.tick(true)
	if th.controls.root.Hidden {
		t.Error("hidden outside of full screen")
	}
}

func TestQualityGoesOnAtTheSamePlace(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	first := r.program.last()
	r.player.change(func(s *player.State) { s.Position = time.Minute })
	r.w.watch.chooseQuality(1)
	r.until("the other rendition at the same place", func() bool { return r.program.noted("open 720") && r.player.noted("seek 1m0s true") })
	r.until("the first one to be let go", func() bool { return first.noted("close") })
	if got := r.w.watch.view.theatre.controls.quality.Text; got != "720p" {
		t.Errorf("the choice says %q", got)
	}
}

func TestClosingStopsPlayingAndLetsTheSwarmGoOn(t *testing.T) {
	r := newRig(t)
	r.watchFilm()
	test.Tap(findButton(t, r.w.watch.root, "Close"))
	if !r.player.noted("stop") || !findText(r.w.watch.root, "Nothing is playing") {
		t.Error("it plays on")
	}
	r.until("the viewing to be closed", func() bool { return r.program.last().noted("close") })
	for _, n := range r.program.notes {
		if n[:5] == "pause" || n[:5] == "remov" {
			t.Errorf("closing did %q", n)
		}
	}
}

func TestWithoutLibmpvOtherProgramsAreOffered(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.noPlayer = fmt.Errorf("%w: install the package libmpv2, then start Shoal again", player.ErrNoLibrary)
	})
	r.w.watchAddress(film)
	r.until("the word about libmpv", func() bool {
		return findText(r.w.watch.root, "Shoal needs libmpv") && findText(r.w.watch.root, "libmpv2")
	})
	r.shoot("watch-no-libmpv")
	test.Tap(findButton(t, r.w.watch.root, "Open in the browser"))
	r.until("the browser", func() bool { return len(r.browser) == 1 })
	test.Tap(findButton(t, r.w.watch.root, "Open in another player"))
	r.until("why there is no other player", func() bool { return findText(r.w.watch.root, "install mpv or VLC") })
	r.w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeySpace}) // nothing to play: nothing happens
}

func TestWatchFailuresOfferAnotherTry(t *testing.T) {
	r := newRig(t)
	r.program.openErr = errors.New("nobody in the swarm answers: try again later")
	r.w.watchAddress(film)
	r.until("the failure", func() bool { return findText(r.w.watch.root, "Nobody in the swarm answers: try again later.") })
	r.shoot("watch-error")
	r.program.mu.Lock()
	r.program.openErr = nil
	r.program.mu.Unlock()
	r.player.loadErr = &player.Error{Kind: player.KindNotMedia, Text: "this file is no video: choose another one"}
	test.Tap(findButton(t, r.w.watch.root, "Try again"))
	r.until("the file's failure", func() bool { return findText(r.w.watch.root, "This file is no video") })
	r.player.loadErr = nil
	test.Tap(findButton(t, r.w.watch.root, "Try again"))
	r.until("the film to play", func() bool { return r.w.watch.playing() && !findText(r.w.watch.root, "This file is no video") })
}

func TestDescriptionFromOthersIsHarmless(t *testing.T) {
	test.NewTempApp(t)
	to := widget.NewRichText()
	setDescription(to, "# T\n\nSee [a](https://a.example) and [b](file:///etc/passwd) ![x](https://spy.example/x.png)\n\n- ![y](http://spy.example/y.png) item")
	var walk func(segments []widget.RichTextSegment)
	links := 0
	walk = func(segments []widget.RichTextSegment) {
		for _, s := range segments {
			switch s := s.(type) {
			case *widget.ImageSegment:
				t.Errorf("a picture of %s would be fetched", s.Source)
			case *widget.HyperlinkSegment:
				links++
				if !isWebLink(s.URL) {
					t.Errorf("a link to %s", s.URL)
				}
			case *widget.ParagraphSegment:
				walk(s.Texts)
			case *widget.ListSegment:
				walk(s.Items)
			}
		}
	}
	walk(to.Segments)
	if links != 1 {
		t.Errorf("%d links, want the one to the web", links)
	}
}
