// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

func (r *rig) field(key string) *field {
	r.t.Helper()
	for _, f := range r.w.settings.fields.all {
		if f.key == key {
			return f
		}
	}
	r.t.Fatalf("there is no setting %s", key)
	return nil
}

// entry is the field's line of text.
func (r *rig) entry(key string) *widget.Entry {
	r.t.Helper()
	for _, o := range visible(r.field(key).root) {
		if e, ok := o.(*widget.Entry); ok {
			return e
		}
	}
	r.t.Fatalf("%s is no line of text", key)
	return nil
}

func TestSettingsAreVerifiedAndSaved(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeSettings)
	r.shoot("settings")
	s := r.w.settings
	if !s.save.Disabled() {
		t.Error("there is nothing to save yet")
	}
	r.entry("network.uploadLimit").SetText("fast")
	r.entry("homeInstance").SetText("video.example")
	test.Tap(s.save)
	if got := r.field("network.uploadLimit").problem.words; got != "Write a whole number." {
		t.Errorf("no number: %q", got)
	}
	r.entry("network.uploadLimit").SetText("250")
	test.Tap(s.save)
	r.until("what is wrong with the address", func() bool { return strings.Contains(r.field("homeInstance").problem.words, "no web address") })
	r.shoot("settings-error")
	if r.store.Get().Network.UploadLimit != 0 {
		t.Error("a part of it was saved")
	}
	r.entry("homeInstance").SetText("https://video.example")
	r.entry("network.iceServers").SetText("stun:stun.example.org:3478\n\nturn:turn.example.org:3478 me secret")
	test.Tap(s.save)
	r.until("the saving", func() bool { return strings.HasPrefix(s.status.words, "Saved") })
	got := r.store.Get()
	if got.Network.UploadLimit != 250_000 || got.HomeInstance != "https://video.example" || len(got.Network.ICEServers) != 2 || got.Network.ICEServers[1].Credential != "secret" {
		t.Errorf("saved %+v", got)
	}
	if !strings.Contains(s.status.words, "started again") {
		t.Errorf("no word about the restart: %q", s.status.words)
	}
}

func TestSettingsCanBeUndone(t *testing.T) {
	r := newRig(t)
	r.entry("downloads").SetText("/elsewhere")
	test.Tap(r.w.settings.revert)
	if got := r.entry("downloads").Text; got != "" || !r.w.settings.save.Disabled() {
		t.Errorf("it still says %q", got)
	}
}
