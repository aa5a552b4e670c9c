// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/instance"
	"shoal/peer"
)

func TestAddressBarSaysWhatIsWrong(t *testing.T) {
	r := newRig(t)
	bar := r.w.bar
	bar.open("   ")
	if !strings.Contains(bar.notice.shown(), "Write the address") {
		t.Errorf("an empty address: %q", bar.notice.shown())
	}
	bar.open(strings.Repeat("x", maxAddress+1))
	if !strings.Contains(bar.notice.shown(), "too long") {
		t.Errorf("a long address: %q", bar.notice.shown())
	}
	bar.open("magnet:?xt=nothing")
	r.until("the sentence", func() bool { return bar.notice.shown() != "" && !bar.working })
	r.shoot("address-error")
	r.program.resolve = func(context.Context, string) (core.Resolved, error) {
		return core.Resolved{}, &core.Error{Code: "notFound", Message: "there is no video at this address: check it", Err: errors.New("404")}
	}
	bar.open("https://video.example/w/xyz")
	r.until("the sentence of the program", func() bool { return bar.notice.shown() == "There is no video at this address: check it." })
	if r.w.at != placeBrowse {
		t.Errorf("a failure went to %s", r.w.at)
	}
	bar.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if bar.notice.shown() != "" {
		t.Error("Escape leaves the sentence")
	}
}

func TestAddressBarCanBeCancelled(t *testing.T) {
	r := newRig(t)
	ended := make(chan struct{})
	r.program.resolve = func(ctx context.Context, _ string) (core.Resolved, error) {
		<-ctx.Done()
		close(ended)
		return core.Resolved{}, ctx.Err()
	}
	r.w.bar.open("https://slow.example")
	if !r.w.bar.working || r.w.bar.button.Text != "Cancel" || !r.w.bar.busy.Visible() {
		t.Error("nothing says that it is busy")
	}
	r.shoot("address-busy")
	test.Tap(r.w.bar.button)
	r.until("the question to end", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if r.w.bar.working || r.w.bar.notice.shown() != "" {
		t.Error("cancelling is no failure")
	}
}

func TestAddressBarRemembersInstances(t *testing.T) {
	r := newRig(t)
	r.openInstance()
	r.until("the instance to be remembered", func() bool {
		recent := r.store.Get().RecentInstances
		return len(recent) == 1 && recent[0] == "https://video.example"
	})
	r.w.bar.dropDown()
	r.shoot("address-recent")
	if !findText(r.dialogOf(), "video.example") {
		t.Error("the list lacks the instance")
	}
}

func TestAddressBarOpensMagnetsAndFiles(t *testing.T) {
	r := newRig(t)
	r.program.resolve = func(context.Context, string) (core.Resolved, error) {
		return core.Resolved{Kind: core.KindSwarm, Target: peer.Target{Name: "film"}}, nil
	}
	r.w.win.Canvas().Focus(r.w.bar.entry)
	r.w.bar.entry.SetText("magnet:?xt=urn:btih:0123456789012345678901234567890123456789")
	r.w.bar.entry.OnSubmitted(r.w.bar.entry.Text)
	r.until("the magnet to play", func() bool { return r.w.at == placeWatch && r.w.watch.playing() })
	if r.w.win.Canvas().Focused() != nil {
		t.Error("the entry keeps the keyboard")
	}
}

func TestIntroIsReadOnceBeforeAnythingOpens(t *testing.T) {
	r := newRig(t, introUnread)
	r.w.first = "https://video.example"
	r.w.start()
	if r.w.intro == nil || !findText(r.dialogOf(), "IP address") {
		t.Fatal("the word about IP addresses is not shown")
	}
	r.shoot("intro")
	r.w.handedOver("https://other.example") // comes before the word was read
	if len(r.program.notes) != 0 {
		t.Errorf("opened before it was read: %v", r.program.notes)
	}
	test.Tap(findButton(t, r.dialogOf(), "I understand"))
	r.until("the address handed over last", func() bool { return r.program.noted("resolve https://other.example") })
	r.until("that it was read", func() bool { return r.store.Get().IntroSeen })
}

func TestStartOpensWhatWasOpenLast(t *testing.T) {
	r := newRig(t)
	must(t, r.store.Update(func(c *config.Config) { c.AddRecent("https://video.example") }))
	r.w.start()
	r.until("the instance", func() bool { return len(r.w.browse.cards) > 0 })
	r.w.handedOver(film)
	r.until("what a second start brought", func() bool { return r.w.at == placeWatch && r.w.watch.playing() })
}

func TestClosingAsksWhileSharing(t *testing.T) {
	r := newRig(t)
	r.w.askQuit()
	if !r.program.noted("quit") {
		t.Fatal("with nothing shared it asks")
	}
	r.program.notes = nil
	r.w.showSwarms([]core.SwarmInfo{swarm("a", 1), swarm("b", 0.5)})
	r.w.askQuit()
	if r.program.noted("quit") || !findText(r.dialogOf(), "2 videos are still shared") {
		t.Fatal("it does not ask")
	}
	r.shoot("quit")
	test.Tap(findButton(t, r.dialogOf(), "Go on in the background"))
	if r.program.noted("quit") {
		t.Error("going on in the background quits")
	}
	r.w.handedOver("")
	r.w.askQuit()
	test.Tap(findButton(t, r.dialogOf(), "Quit"))
	if !r.program.noted("quit") {
		t.Error("it does not quit")
	}
}

func TestReportTellsWhatIsShown(t *testing.T) {
	r := newRig(t)
	var buf lockedBuffer
	r.watchFilm()
	r.w.report(&buf)
	r.until("a line", func() bool { return strings.Contains(buf.String(), "\n") })
	var s snapshot
	must(t, json.Unmarshal([]byte(strings.SplitN(buf.String(), "\n", 2)[0]), &s))
	if s.Event != "window" || s.Page != "watch" || !s.Playing || s.Painted != 7 || s.Places["play"][2] == 0 {
		t.Errorf("got %+v", s)
	}
}

func TestPublishForm(t *testing.T) {
	r := newRig(t, withInstance)
	f := r.openTab(tabPublish).form
	test.Tap(f.button)
	if !findText(f.root, "Choose a video file first.") {
		t.Error("no word about the missing file")
	}
	f.setFile("/home/me/my_first-film.mp4")
	if f.title.Text != "my first film" {
		t.Errorf("the title after the file is %q", f.title.Text)
	}
	f.tags.SetText("fish, sea")
	r.pub.hold = make(chan struct{})
	test.Tap(f.button)
	r.until("the stage", func() bool { return findText(f.root, "Making the torrent… 50%") })
	if f.file.Text != "" || f.button.Disabled() {
		t.Error("the form is not free for the next one")
	}
	test.Tap(findButton(t, f.under.root, "Pause"))
	r.until("the pause", func() bool { return findText(f.root, "Paused: others have their turn meanwhile") })
	f.setFile("/home/me/second.mp4")
	test.Tap(f.button)
	r.until("the second one", func() bool { return len(f.under.rows) == 2 && findText(f.under.root, "second") })
	relayout(f.root)
	r.shoot("publish")
	test.Tap(findButton(t, f.under.root, "Resume"))
	r.until("it to go on", func() bool { return !findText(f.root, "Paused") })
	close(r.pub.hold)
	r.until("the link", func() bool { return findText(f.root, "https://my.example/w/xyz") && !f.under.root.Visible() })
	if !r.pub.noted(`publish /home/me/my_first-film.mp4 "my first film" [fish sea] public`) {
		t.Errorf("asked for %v", r.pub.notes)
	}
	r.shoot("published")
	r.pub.err = errors.New("this file is no video: choose another one")
	f.setFile("/home/me/x.txt")
	f.title.SetText("xyz")
	test.Tap(f.button)
	r.until("the reason", func() bool { return findText(f.root, "This file is no video: choose another one.") })
	if f.file.Text != "/home/me/x.txt" || f.title.Text != "xyz" {
		t.Error("what failed has to be written again")
	}
	r.pub.hold = make(chan struct{})
	test.Tap(f.button)
	r.until("it to begin", func() bool { return len(f.under.rows) == 1 })
	test.Tap(findButton(t, f.under.root, "Cancel"))
	r.until("it to be given up", func() bool { return !f.under.root.Visible() && f.file.Text == "/home/me/x.txt" })
	if f.problem.Visible() {
		t.Error("giving up is no failure")
	}
}

func TestWatchFolderIsToldOf(t *testing.T) {
	r := newRig(t, withInstance)
	f := r.openTab(tabPublish).form
	if f.folder.root.Visible() {
		t.Error("there is no folder yet")
	}
	set := func(w instance.WatchFolder) {
		r.pub.pubs.Lock()
		r.pub.folder = w
		r.pub.pubs.Unlock()
		f.look()
	}
	set(instance.WatchFolder{Folder: "/srv/films", Failures: []instance.WatchFailure{
		{File: "/srv/films/a.mp4", Text: "this file is no video"}, {File: "b", Text: "x"}, {File: "c", Text: "x"}, {File: "d", Text: "x"},
	}})
	r.until("the folder", func() bool { return findText(f.root, "appear in /srv/films are published in root_channel.") })
	if !findText(f.root, "a.mp4: This file is no video. b: X. c: X. 1 more file could not be published.") {
		t.Errorf("it says %q", f.folder.problem.words)
	}
	relayout(f.root)
	r.shoot("watchfolder")
	set(instance.WatchFolder{Folder: "/srv/films", Channel: "sea", Problem: "the folder cannot be read: check its permissions"})
	r.until("what is in the way", func() bool {
		return findText(f.root, "The folder cannot be read: check its permissions.") && findText(f.root, "in sea.")
	})
}

type lockedBuffer struct {
	journal
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
