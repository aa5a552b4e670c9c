// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"shoal/app/core"
)

func (r *rig) openSupport() *supportPane {
	r.t.Helper()
	r.w.goTo(placeCoSeeding)
	r.w.coSeeding.goTo(tabSupport)
	p := r.w.coSeeding.support
	r.until("the creators", func() bool { return p.known })
	return p
}

func TestSupportEmptySaysWhatItIs(t *testing.T) {
	r := newRig(t)
	p := r.openSupport()
	for _, words := range []string{"You do not support anybody yet", "PeerTube 6"} {
		if !findText(p.root, words) {
			t.Errorf("%q is not shown", words)
		}
	}
	r.shoot("support-empty")
}

func TestSupportIsAddedChangedAndEnded(t *testing.T) {
	r := newRig(t)
	p := r.openSupport()
	test.Tap(p.button)
	if !strings.Contains(p.notice.shown(), "Write whom to support") {
		t.Errorf("nothing written: %q", p.notice.shown())
	}
	p.entry.SetText("sea@video.example")
	p.form.budget.SetText("much")
	test.Tap(p.button)
	if !strings.Contains(p.notice.shown(), "how many GB") {
		t.Errorf("no budget: %q", p.notice.shown())
	}
	p.form.budget.SetText("7,5")
	p.form.order.SetSelectedIndex(1)
	r.program.addErr = &core.Error{Code: "notFound", Message: "there is no such channel: check the name", Err: errors.New("404")}
	test.Tap(p.button)
	r.until("the reason", func() bool { return p.notice.shown() == "There is no such channel: check the name." })
	r.program.addErr = nil
	test.Tap(p.button)
	r.until("the new one", func() bool { return findText(p.root, "You support Sea Life now") && len(p.list.lines) == 1 })
	if !r.program.noted("support sea@video.example 7500000000 rarest") || p.entry.Text != "" {
		t.Errorf("asked for %v", r.program.notes)
	}

	p.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	r.shoot("support-change")
	test.Tap(findButton(t, r.dialogOf(), "Save"))
	r.until("the change", func() bool { return r.program.noted("change sea@video.example 20000000000 newest") })
	p.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	r.shoot("support-remove")
	test.Tap(findButton(t, r.dialogOf(), "Keep videos"))
	r.until("the end", func() bool { return r.program.noted("end sea@video.example false") })
	r.program.set(creator("broken"))
	p.look()
	r.until("the other one", func() bool { return p.list.lines[0].key == "broken" })
	p.do(p.list.lines[0], actRemove)
	test.Tap(findButton(t, r.dialogOf(), "Delete videos"))
	r.until("why it failed", func() bool { return p.notice.shown() == "The disk is full: make room." })
}

func TestSupportCanBeGivenUp(t *testing.T) {
	r := newRig(t)
	p := r.openSupport()
	r.program.addHold = make(chan struct{})
	p.entry.SetText("https://slow.example")
	test.Tap(p.button)
	if p.button.Text != "Cancel" || !findText(p.root, "Asking about https://slow.example…") {
		t.Error("nothing says that it is busy")
	}
	test.Tap(p.button)
	if p.button.Text != "Support" || p.notice.shown() != "" {
		t.Error("giving up is no failure")
	}
}

func TestSupportLinesSayHowItIs(t *testing.T) {
	r := newRig(t)
	waiting, fresh, whole := creator("b"), creator("c"), creator("d")
	waiting.Problem, waiting.DisplayName = "video.example does not answer: it is asked again in 20 minutes", "A channel with a name that goes on for quite a while, as some do"
	fresh.Checked, fresh.Videos, fresh.Complete, fresh.Used, fresh.Kind, fresh.Name, fresh.DisplayName = time.Time{}, 0, 0, 0, core.KindInstance, "new.example", "new.example"
	whole.Complete, whole.Order = 14, "rarest"
	r.program.set(whole, waiting, fresh, creator("a"))
	for _, size := range []fyne.Size{{Width: 900, Height: 600}, {Width: 1280, Height: 800}} {
		r.w.win.Resize(size)
		p := r.openSupport()
		r.until("the creators", func() bool { return len(p.list.lines) == 4 })
		for _, words := range []string{"12 of 14 videos complete", "3.4 GB of 20 GB", "1.2 GB given back", "does not answer", "reading what there is", "Whole instance", "rarest first", "looked 10 minutes ago"} {
			if !findText(p.root, words) {
				t.Errorf("%q is not shown", words)
			}
		}
		relayout(r.w.coSeeding.root)
		r.shoot(strings.ReplaceAll("support-W", "W", trimDecimals(float64(size.Width))))
	}
}

func TestSupportFromAChannelAndAVideo(t *testing.T) {
	r := newRig(t, withInstance)
	r.openInstance()
	test.Tap(r.w.browse.support)
	p := r.w.coSeeding.support
	if r.w.at != placeCoSeeding || r.w.coSeeding.tabs.chosen != tabSupport || p.entry.Text != "https://video.example" {
		t.Errorf("the instance: at %s, %q", r.w.at, p.entry.Text)
	}
	if r.program.noted("support https://video.example 20000000000 newest") {
		t.Error("it was not asked")
	}
	r.watchFilm()
	test.Tap(r.w.watch.view.support)
	if p.entry.Text != "https://video.example/video-channels/sea" {
		t.Errorf("the video's channel: %q", p.entry.Text)
	}
	r.w.browse.titles(shelf{instance: r.pub.URL()})
	if r.w.browse.support.Visible() {
		t.Error("the own instance can be supported")
	}
}
