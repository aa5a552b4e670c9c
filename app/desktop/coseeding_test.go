// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"shoal/app/core"
	"shoal/peer"
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
		for _, o := range visible(r.w.coSeeding.list) {
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
	b.Paused, own.Own = true, true
	r.program.setSwarms(a, b, own)
	r.w.showSwarms(r.program.Swarms())
	p := r.w.coSeeding
	p.pause("a")
	p.pause("b")
	r.until("pause and resume", func() bool { return r.program.noted("pause a") && r.program.noted("resume b") })

	p.askRemove("c")
	if r.dialogOf() != nil {
		t.Error("an own video can be removed here")
	}
	p.askRemove("a")
	r.shoot("coseeding-remove")
	test.Tap(findButton(t, r.dialogOf(), "Cancel"))
	p.askRemove("a")
	test.Tap(findButton(t, r.dialogOf(), "Keep files"))
	r.until("removing", func() bool { return r.program.noted("remove a false") })
	p.askRemove("b")
	test.Tap(findButton(t, r.dialogOf(), "Delete files"))
	r.until("removing with files", func() bool { return r.program.noted("remove b true") })

	r.program.fail = errors.New("the file is in use: close the other program")
	p.pause("a")
	r.until("the reason", func() bool { return strings.HasPrefix(p.notice.shown(), "The file is in use") })
	p.play("a")
	r.until("the swarm to be opened", func() bool { return r.program.noted("resolve magnet:a") && r.w.at == placeWatch })
}
