// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/config"
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
		switch e := o.(type) {
		case *inputEntry:
			return &e.Entry
		case *inputChoice:
			return &e.Entry
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
	if got := r.field("network.uploadLimit").problem.words; got != "Write a number." {
		t.Errorf("no number: %q", got)
	}
	r.entry("network.uploadLimit").SetText("250")
	test.Tap(s.save)
	r.until("what is wrong with the address", func() bool { return strings.Contains(r.field("homeInstance").problem.words, "no web address") })
	if s.tabs.chosen != r.field("homeInstance").part || r.w.win.Canvas().Focused() != r.field("homeInstance").focus {
		t.Error("the page does not go to what is wrong")
	}
	r.shoot("settings-error")
	if r.store.Get().Network.UploadLimit != 0 {
		t.Error("a part of it was saved")
	}
	r.entry("homeInstance").SetText("https://video.example")
	r.entry("network.iceServers").SetText("stun:stun.example.org:3478\n\nturn:turn.example.org:3478 me secret")
	r.entry("network.icePort").SetText("41000")
	test.Tap(s.save)
	r.until("the saving", func() bool { return strings.HasPrefix(s.status.words, "Saved") })
	got := r.store.Get()
	if got.Network.UploadLimit != 250_000 || got.HomeInstance != "https://video.example" || len(got.Network.ICEServers) != 2 || got.Network.ICEServers[1].Credential != "secret" {
		t.Errorf("saved %+v", got)
	}
	if !strings.Contains(s.status.words, "started again: WebRTC port.") {
		t.Errorf("no word about the restart: %q", s.status.words)
	}
}

// TestSettingsAreAllThere holds the page to the settings: whatever a person may set has a field, which
// shows the default and reads it back unchanged.
func TestSettingsAreAllThere(t *testing.T) {
	r := newRig(t)
	// Set by doing, or by developers.
	elsewhere := []string{"introSeen", "recentInstances", "instance.dev"}
	for _, key := range keysOf(reflect.TypeFor[config.Config](), "") {
		if slices.Contains(elsewhere, key) {
			continue
		}
		f := r.field(key)
		apply, err := f.read()
		if err != nil {
			t.Errorf("%s: its default is refused: %v", key, err)
			continue
		}
		got := r.store.Get()
		apply(&got)
		if !reflect.DeepEqual(got, r.store.Get()) {
			t.Errorf("%s: reading it back changes it: %+v", key, got)
		}
	}
}

func keysOf(typ reflect.Type, prefix string) []string {
	var keys []string
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("toml"), ",")
		if typ.Field(i).Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(typ.Field(i).Type, prefix+name+".")...)
		} else {
			keys = append(keys, prefix+name)
		}
	}
	return keys
}

func TestSettingsInTheirUnits(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeSettings)
	s := r.w.settings
	for key, words := range map[string]string{
		"sharing.budget": "12.5", "sharing.keepFree": "", "sharing.ratio": "1,5", "sharing.idleHours": "48",
		"limits.memory": "300", "network.schedule.from": "22:15", "network.interface": "wg0",
	} {
		r.entry(key).SetText(words)
	}
	checks := r.checks("network.schedule.days")
	for _, i := range []int{5, 6} {
		checks[i].SetChecked(false)
	}
	test.Tap(s.save)
	r.until("the saving", func() bool { return strings.HasPrefix(s.status.words, "Saved") })
	c := r.store.Get()
	if c.Sharing.Budget != 12.5e9 || c.Sharing.KeepFree != 0 || c.Sharing.Ratio != 1.5 || c.Sharing.IdleHours != 48 || c.Limits.Memory != 300<<20 {
		t.Errorf("saved %+v %+v", c.Sharing, c.Limits)
	}
	if n := c.Network; n.Schedule.From != "22:15" || !slices.Equal(n.Schedule.Days, []string{"mon", "tue", "wed", "thu", "fri"}) || n.Interface != "wg0" {
		t.Errorf("saved %+v", n)
	}
	for _, b := range checks {
		b.SetChecked(false)
	}
	for key, words := range map[string]string{"sharing.ratio": "NaN", "limits.memory": "5", "limits.connections": "1.5", "limits.halfOpen": ""} {
		r.entry(key).SetText(words)
	}
	test.Tap(s.save)
	for key, want := range map[string]string{
		"sharing.ratio": "Write a number.", "limits.memory": "Write 64 to 1048576.", "limits.connections": "Write a whole number.",
		"limits.halfOpen": "Write a whole number.", "network.schedule.days": "Choose a day at least.",
	} {
		if got := r.field(key).problem.words; got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if got := s.tabs.entries[r.field("limits.memory").part].count.words; got != "4" {
		t.Errorf("the tab counts %q", got)
	}
}

func (r *rig) checks(key string) []*widget.Check {
	r.t.Helper()
	var all []*widget.Check
	for _, o := range visible(r.field(key).root) {
		if b, ok := o.(*inputCheck); ok {
			all = append(all, &b.Check)
		}
	}
	return all
}

func TestScheduleIsOnlyOpenWhereItCounts(t *testing.T) {
	r := newRig(t)
	on, from := r.checks("network.schedule.enabled")[0], r.entry("network.schedule.from")
	if !from.Disabled() {
		t.Error("the hour can be changed while there is no schedule")
	}
	on.SetChecked(true)
	if from.Disabled() {
		t.Error("the hour cannot be changed")
	}
	test.Tap(r.w.settings.revert)
	if !from.Disabled() {
		t.Error("undoing leaves it open")
	}
}

func TestInterfacesAreOffered(t *testing.T) {
	r := newRig(t)
	r.w.settings.nics = func() ([]nic, error) { return []nic{{"eth0", "192.168.1.5"}, {"wg0", ""}}, nil }
	r.w.goTo(placeSettings)
	r.until("the interfaces", func() bool { return findText(r.field("network.interface").root, "Here now: eth0 (192.168.1.5), wg0") })
}

// TestKeyboardBringsSettingsIntoView goes through a long tab with the Tab key.
func TestKeyboardBringsSettingsIntoView(t *testing.T) {
	r := newRig(t)
	r.w.win.Resize(fyne.NewSize(900, 600))
	r.w.goTo(placeSettings)
	s := r.w.settings
	s.tabs.set(r.field("network.proxy").part)
	s.chosen(s.tabs.chosen)
	c := r.w.win.Canvas()
	for range 60 {
		c.FocusNext()
		o, ok := c.Focused().(fyne.CanvasObject)
		if !ok {
			continue
		}
		driver := r.app.Driver()
		top, view := driver.AbsolutePositionForObject(o).Y, driver.AbsolutePositionForObject(s.body).Y
		for _, f := range s.fields.all {
			if f.focus == c.Focused() && (top < view || top+30 > view+s.body.Size().Height) {
				t.Errorf("%s has the keyboard and is out of sight, at %v", f.key, top)
			}
		}
		if c.Focused() == s.fields.find("network.iceServers").focus {
			return
		}
	}
	t.Error("the last setting is never reached")
}

// TestSettingsDraw takes a picture of each tab, wide and narrow, and holds every row to the width.
func TestSettingsDraw(t *testing.T) {
	for _, size := range []fyne.Size{{Width: 900, Height: 600}, {Width: 1280, Height: 800}} {
		r := newRig(t)
		r.w.settings.nics = func() ([]nic, error) { return []nic{{"eth0", "192.168.1.5"}, {"wg0", "10.8.0.2"}}, nil }
		r.w.win.Resize(size)
		r.w.goTo(placeSettings)
		r.until("the interfaces", func() bool { return findText(r.field("network.interface").root, "Here now") })
		for i, part := range r.w.settings.parts {
			r.w.settings.tabs.set(i)
			r.w.settings.chosen(i)
			r.shoot(fmt.Sprintf("settings-%d-%s", int(size.Width), part.words))
			if got := part.rows.MinSize().Width; got > size.Width-186-44 {
				t.Errorf("%v wide: %s needs %v", size.Width, part.words, got)
			}
			for _, o := range visible(part.rows) {
				if x, ok := o.(*text); ok && x.size == theme.SizeNameCaptionText && !strings.HasPrefix(x.words, "Shoal ") {
					if shown := linesOf(x); strings.HasSuffix(shown, "…") {
						t.Errorf("%v wide, %s: %q is cut to %q", size.Width, part.words, x.words, shown)
					}
				}
			}
		}
	}
}

// linesOf is what a text shows of its words.
func linesOf(x *text) string {
	var all []string
	for _, o := range test.WidgetRenderer(x).Objects() {
		if c, ok := o.(*canvas.Text); ok && c.Text != "" {
			all = append(all, c.Text)
		}
	}
	return strings.Join(all, " ")
}

func TestSettingsCanBeUndone(t *testing.T) {
	r := newRig(t)
	r.entry("downloads").SetText("/elsewhere")
	test.Tap(r.w.settings.revert)
	if got := r.entry("downloads").Text; got != "" || !r.w.settings.save.Disabled() {
		t.Errorf("it still says %q", got)
	}
}
