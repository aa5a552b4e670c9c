// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/peer"
	"shoal/peer/library"
)

// swarm is a swarm of which a part is on disk.
func swarm(infohash string, part float64) core.SwarmInfo {
	return core.SwarmInfo{Joined: true, Magnet: "magnet:" + infohash, Stats: peer.Stats{
		Infohash: infohash, Name: "Film " + infohash, Bytes: 400e6, Completed: int64(part * 400e6), Complete: part == 1,
		Peers: peer.Peers{WebRTC: 2, TCP: 1}, Up: 123e3, Down: (1 - part) * 1e6,
		Uploaded: peer.Bytes{WebRTC: 600e6}, Downloaded: peer.Bytes{WebSeed: int64(part * 400e6)},
	}}
}

func TestCoSeedingStates(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	r.w.showSwarms(nil)
	if !findText(r.w.coSeeding.root, "not co-seeding anything yet") || !findText(r.w.coSeeding.root, "PeerTube 6") {
		t.Error("the empty page does not say so")
	}
	r.shoot("coseeding-empty")
	paused, broken, own, away := swarm("c", 1), swarm("d", 0.2), swarm("e", 1), swarm("f", 0.7)
	paused.Paused, broken.Problem, own.Own, away.Joined = true, "the disk is full: make room, then resume", true, false
	r.w.showSwarms([]core.SwarmInfo{swarm("a", 1), swarm("b", 0.45), paused, broken, away, own})
	for _, words := range []string{"6 videos", "Sharing · 2 WebRTC · 1 TCP", "Downloading", "Paused", "disk is full", "Not taking part"} {
		if !findText(r.w.coSeeding.root, words) {
			t.Errorf("%q is not shown", words)
		}
	}
	r.shoot("coseeding")
}

func TestCoSeedingRowsChangeInPlace(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	r.w.showSwarms([]core.SwarmInfo{swarm("a", 0.1), swarm("b", 1)})
	rows := func() []*swarmRow {
		var all []*swarmRow
		for _, o := range visible(r.w.coSeeding.held.list) {
			if row, ok := o.(*swarmRow); ok {
				all = append(all, row)
			}
		}
		return all
	}
	before := rows()
	r.w.showSwarms([]core.SwarmInfo{swarm("a", 0.2), swarm("b", 1)})
	after := rows()
	if fmt.Sprint(len(before)) != fmt.Sprint(len(after)) || before[0] != after[0] {
		t.Error("the rows were made anew")
	}
	if !findText(r.w.coSeeding.root, "80 MB of 400 MB") {
		t.Error("the new figures are not shown")
	}
}

func TestCoSeedingActions(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	a, b, own := swarm("a", 1), swarm("b", 0.5), swarm("c", 1)
	b.Paused, b.Pinned, own.Own = true, true, true
	r.program.setSwarms(a, b, own)
	r.w.showSwarms(r.program.Swarms())
	p := r.w.coSeeding.held
	p.do("a", rowPause)
	p.do("b", rowPause)
	r.until("pause and resume", func() bool { return r.program.noted("pause a") && r.program.noted("resume b") })
	p.do("a", rowPin)
	p.do("b", rowPin)
	r.until("pin and unpin", func() bool { return r.program.noted("pin a true") && r.program.noted("pin b false") })

	p.do("c", rowRemove)
	if r.dialogOf() != nil {
		t.Error("an own video can be removed here")
	}
	p.do("c", rowPin)
	p.do("a", rowRemove)
	r.shoot("coseeding-remove")
	test.Tap(findButton(t, r.dialogOf(), "Cancel"))
	p.do("a", rowRemove)
	test.Tap(findButton(t, r.dialogOf(), "Keep files"))
	r.until("removing", func() bool { return r.program.noted("remove a false") })
	p.do("b", rowRemove)
	test.Tap(findButton(t, r.dialogOf(), "Delete files"))
	r.until("removing with files", func() bool { return r.program.noted("remove b true") })
	if r.program.noted("pin c true") {
		t.Error("an own video was pinned")
	}

	r.program.fail = errors.New("the file is in use: close the other program")
	p.do("a", rowPause)
	r.until("the reason", func() bool { return strings.HasPrefix(p.notice.shown(), "The file is in use") })
	p.do("a", rowCopy)
	if got := r.app.Clipboard().Content(); got != "magnet:a" {
		t.Errorf("copied %q", got)
	}
	p.do("a", rowOpen)
	r.until("the swarm to be opened", func() bool { return r.program.noted("resolve magnet:a") && r.w.at == placeWatch })
}

func TestCoSeedingKeys(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	r.program.setSwarms(swarm("a", 1), swarm("b", 1))
	r.w.showSwarms(r.program.Swarms())
	l := r.w.coSeeding.held.list
	press := func(k fyne.KeyName) { l.TypedKey(&fyne.KeyEvent{Name: k}) }
	press(fyne.KeyDown) // from b, the newest, to a
	press(fyne.KeyP)
	press(fyne.KeySpace)
	r.until("the pin and the pause", func() bool { return r.program.noted("pin a true") && r.program.noted("pause a") })
	press(fyne.KeyUp)
	press(fyne.KeyDelete)
	if r.dialogOf() == nil {
		t.Fatal("Delete asks nothing")
	}
	r.w.coSeeding.escape()
	if r.dialogOf() != nil {
		t.Error("Escape leaves the question")
	}
	for _, o := range visible(l) {
		if row, ok := o.(*swarmRow); ok && row.shown.infohash == "a" {
			row.TappedSecondary(&fyne.PointEvent{AbsolutePosition: fyne.NewPos(500, 300)})
		}
	}
	r.shoot("coseeding-menu")
	if r.dialogOf() == nil {
		t.Error("there is no menu")
	}
	r.w.win.Canvas().Overlays().Remove(r.dialogOf())
	press(fyne.KeyReturn)
	r.until("b to be opened", func() bool { return r.program.noted("resolve magnet:b") })
}

// TestCoSeedingSaysWhatGoesAndWhy shows each reason in words.
func TestCoSeedingSaysWhatGoesAndWhy(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	var list []core.SwarmInfo
	add := func(reason library.Reason, value int64, order int) *core.SwarmInfo {
		s := swarm(fmt.Sprint("x", len(list)), 1)
		s.Keep = library.Standing{Reason: reason, Value: value, Order: order}
		list = append(list, s)
		return &list[len(list)-1]
	}
	add(library.ReasonOwn, 0, 0).Own = true
	add(library.ReasonPinned, 0, 0).Pinned = true
	add(library.ReasonWatching, 0, 0)
	add(library.ReasonFetching, 0, 0).SupportedBy = "sea"
	add(library.ReasonWellSeeded, 12, 1)
	stopped := add(library.ReasonUnwatched, 40, 2)
	stopped.Paused, stopped.Stopped = true, library.StopRatio
	add(library.ReasonIncomplete, 30, 3)
	add(library.ReasonSupport, 1, 4).SupportedBy = "sea"
	add(library.ReasonRecent, 0, 5)
	for i, want := range []string{
		"Published by your instance: it stays.", "Pinned: it stays, and no limit ends sharing it.", "Being watched: it stays meanwhile.",
		"Being fetched for a creator you support: it stays meanwhile.", "Goes first when room is needed: 12 seeders have it.",
		"Goes after 1 other when room is needed: not watched for 40 days.", "Goes after 2 others when room is needed: only 30% of it arrived.",
		"Goes after 3 others when room is needed: held for a creator you support, 1 seeder has it.", "Goes after 4 others when room is needed: here since today.",
	} {
		if got := keepWords(list[i], true); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := keepWords(list[4], false); got != "12 seeders have it." {
		t.Errorf("with no bound: %q", got)
	}
	must(t, r.store.Update(func(c *config.Config) { c.Sharing.Budget = 4e9 }))
	for _, size := range []fyne.Size{{Width: 900, Height: 600}, {Width: 1280, Height: 800}} {
		r.w.win.Resize(size)
		r.w.showSwarms(list)
		relayout(r.w.coSeeding.root)
		r.shoot("coseeding-" + trimDecimals(float64(size.Width)))
	}
	if !findText(r.w.coSeeding.root, "3.2 GB of 4.0 GB on disk") || !findText(r.w.coSeeding.root, "Ended: ratio reached") {
		t.Error("the budget or the limit is not shown")
	}
	must(t, r.store.Update(func(c *config.Config) { c.Sharing.Budget = 0 }))
	r.w.showSwarms(list)
	if !findText(r.w.coSeeding.root, "3.2 GB on disk, no budget") {
		t.Error("it does not say that there is no budget")
	}
}

func TestBoundsInForceAreSaid(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	for _, x := range []struct {
		l    core.Limits
		want string
	}{
		{core.Limits{Metered: true, Upload: 1}, "Metered connection: only what you watch is fetched, and nothing is given."},
		{core.Limits{Upload: 200_000}, "Your settings limit the speed: ↑ 200 kB/s."},
		{core.Limits{Upload: 200_000, Download: 1e6, Scheduled: true}, "Your schedule limits the speed now: ↑ 200 kB/s, ↓ 1.0 MB/s."},
		{core.Limits{Scheduled: true}, "Your schedule lifts the speed limits now."},
		{core.Limits{}, ""},
	} {
		if got := boundsWords(x.l); got != x.want {
			t.Errorf("%+v: got %q", x.l, got)
		}
	}
	strip := r.w.coSeeding.bounds
	r.program.limits.Metered = true
	r.w.look()
	r.until("the strip", func() bool { return strip.root.Visible() && findText(r.w.coSeeding.root, "Metered connection") })
	r.w.win.Resize(fyne.NewSize(900, 600))
	relayout(r.w.coSeeding.root)
	r.shoot("coseeding-metered")
	test.Tap(findButton(t, strip.root, "Change"))
	if r.w.at != placeSettings || r.w.win.Canvas().Focused() != r.field("network.metered").focus {
		t.Error("Change does not lead to the switch")
	}
	r.program.fakeSharing.mu.Lock()
	r.program.disk = "Deleting frees no space on the disk."
	r.program.fakeSharing.mu.Unlock()
	r.w.look()
	r.until("the disk", func() bool { return strip.words.words == "Deleting frees no space on the disk." })
	r.program.fakeSharing.mu.Lock()
	r.program.limits, r.program.reach = core.Limits{}, core.Reachability{Held: true, Message: "The kill switch holds all peer traffic back."}
	r.program.fakeSharing.mu.Unlock()
	r.w.look()
	r.until("the kill switch", func() bool { return strip.words.words == "The kill switch holds all peer traffic back." })
}

func TestAHiddenWindowAsksNothing(t *testing.T) {
	r := newRig(t)
	r.w.background()
	if !r.w.hidden.Load() {
		t.Error("it does not know that it is hidden")
	}
	r.program.setSwarms(swarm("a", 1))
	r.w.handedOver("")
	r.until("what happened meanwhile", func() bool { return len(r.w.swarms) == 1 })
}

func TestCoSeedingIsSearchedAndSorted(t *testing.T) {
	a, b, c := swarm("a", 1), swarm("b", 0.5), swarm("c", 1)
	a.Name, a.Uploaded.TCP, a.Keep.Order = "Zebra fish", 9e9, 2
	b.Bytes, b.Keep.Order, b.Pinned = 1e12, 1, true
	c.Paused, c.Problem = true, "the disk is full"
	for _, x := range []struct {
		f     showing
		o     order
		query string
		want  string
	}{
		{showAll, orderAdded, "", "cba"},
		{showAll, orderName, "", "bca"},
		{showAll, orderSize, "", "bca"},
		{showAll, orderGiven, "", "acb"},
		{showAll, orderGoes, "", "bac"},
		{showSharing, orderAdded, "", "a"},
		{showFetching, orderAdded, "", "b"},
		{showEnded, orderAdded, "", "c"},
		{showPinned, orderAdded, "", "b"},
		{showProblems, orderAdded, "", "c"},
		{showSupport, orderAdded, "", ""},
		{showAll, orderAdded, "zebra", "a"},
	} {
		got := ""
		for _, s := range arrange([]core.SwarmInfo{a, b, c}, x.f, x.o, x.query) {
			got += s.Infohash
		}
		if got != x.want {
			t.Errorf("%v %v %q: got %q, want %q", x.f, x.o, x.query, got, x.want)
		}
	}
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	r.w.showSwarms([]core.SwarmInfo{a, b, c})
	p := r.w.coSeeding.held
	p.search.SetText("nothing like it")
	if !findText(p.root, "No video matches") {
		t.Error("nothing says that none matches")
	}
	test.Tap(findButton(t, p.root, "Show all"))
	if len(p.list.swarms) != 3 || !findText(p.root, "Zebra fish") {
		t.Error("they do not come back")
	}
}

// manySwarms are a thousand of them, all changed by step.
func manySwarms(step int) []core.SwarmInfo {
	list := make([]core.SwarmInfo, 1000)
	for i := range list {
		list[i] = swarm(fmt.Sprintf("%040x", i), 1)
		list[i].Up = float64(1000*step + i)
		list[i].Uploaded.WebRTC += int64(step) * 1e6
		list[i].Keep = library.Standing{Reason: library.ReasonRecent, Value: 3, Order: i + 1}
	}
	return list
}

// TestAThousandRowsAreFewObjects checks that what is out of sight is not put into words.
func TestAThousandRowsAreFewObjects(t *testing.T) {
	r := newRig(t)
	r.w.goTo(placeCoSeeding)
	for step := range 3 {
		r.w.showSwarms(manySwarms(step))
	}
	l := r.w.coSeeding.held.list
	if n := len(l.rows); n == 0 || n > 30 {
		t.Errorf("%d rows were made", n)
	}
	if allocs := testing.AllocsPerRun(3, func() { r.w.showSwarms(manySwarms(3)) }); allocs > 12_000 {
		t.Errorf("an update allocates %v times", allocs)
	}
	if !findText(l, "3.0 kB/s") && !findText(l, "4.0 kB/s") {
		t.Error("the newest figures are not shown")
	}
}

// TestABlockedBackendDoesNotFreezeTheWindow lets every question to the engine hang.
func TestABlockedBackendDoesNotFreezeTheWindow(t *testing.T) {
	r := newRig(t)
	r.program.setSwarms(swarm("a", 1))
	r.w.start()
	r.until("the swarm", func() bool { return len(r.w.coSeeding.held.swarms) == 1 })
	release := make(chan struct{})
	r.program.hang(release)
	defer close(release)
	r.w.goTo(placeCoSeeding)
	p := r.w.coSeeding
	p.held.do("a", rowPause)
	p.goTo(tabReach)
	r.until("the check to begin", func() bool { return p.reach.checking })
	p.goTo(tabSupport)
	p.support.entry.SetText("sea@video.example")
	test.Tap(p.support.button)
	r.until("all to hang", func() bool {
		return r.program.noted("pause a") && r.program.noted("check") && r.program.noted("support sea@video.example 20000000000 newest")
	})
	for _, at := range []place{placeBrowse, placeWatch, placeCoSeeding, placeSettings} {
		r.w.goTo(at)
		r.w.look()
		r.shoot("blocked-" + string(at))
	}
	r.w.goTo(placeCoSeeding)
	if p.goTo(tabHeld); !findText(p.root, "Film a") {
		t.Error("the list has gone")
	}
	test.Tap(p.support.button) // gives up
	if p.support.button.Text != "Support" {
		t.Error("it cannot be given up")
	}
}
